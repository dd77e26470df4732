"""Comments of a pull request, as GitHub's REST API has them (docs.github.com/rest/issues/comments): list, create, update.

    comments.py FILE TOKEN

They are kept in FILE, which may hold some of other people already. The port is printed. It stops when its input ends.
"""
import json, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

file, token = sys.argv[1], sys.argv[2]


class Comments(BaseHTTPRequestHandler):
    def answer(self, code, what):
        body = json.dumps(what).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def take(self, change):
        if self.headers["Authorization"] != f"Bearer {token}":
            return self.answer(401, {"message": "Bad credentials"})
        with open(file) as kept:
            comments = json.load(kept)
        length = int(self.headers["Content-Length"] or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        code, what = change(comments, body)
        with open(file, "w") as kept:
            json.dump(comments, kept)
        self.answer(code, what)

    def do_GET(self):
        self.take(lambda comments, _: (200, comments))

    def do_POST(self):
        def add(comments, body):
            url = f"http://127.0.0.1:{server.server_port}/comments/{len(comments)}"
            comments.append({"url": url, "user": {"login": "github-actions[bot]"}, "body": body["body"]})
            return 201, comments[-1]

        self.take(add)

    def do_PATCH(self):
        def change(comments, body):
            found = comments[int(self.path.rsplit("/", 1)[1])]
            found["body"] = body["body"]
            return 200, found

        self.take(change)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Comments)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
