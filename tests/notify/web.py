"""An HTTP receiver. Usage: web.py OUT PLAN PORT. Writes a JSON line for each request to OUT, prints its port, answers what the
file PLAN says (a status; default 200), and ends when its standard input does. Nothing here is jit's."""
import json, os, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

out, plan, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        status = 200
        if os.path.exists(plan):
            status = int(open(plan).read() or 200)
        with lock, open(out, "a") as file:
            file.write(json.dumps({
                "path": self.path, "status": status, "headers": {k.lower(): v for k, v in self.headers.items()},
                "body": body.decode("utf-8"),
            }) + "\n")
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
