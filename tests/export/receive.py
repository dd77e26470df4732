"""A receiver for tests: what it took goes to FILE, one JSON string for each message or body.

    receive.py udp|tcp|tls|http|https FILE PLAN PORT [CERTIFICATE KEY [CLIENT_CA]]

PORT 0 is any free one; the port is printed. PLAN is a file that says how to behave, read anew each time: `ok`, `half` (reads a little
and breaks off), `hang`, `500`, `302`, `401`, `rude` (TLS: ends without close_notify). It stops when its input ends.
"""
import json, os, socket, socketserver, ssl, struct, sys, threading, time
from http.server import BaseHTTPRequestHandler, HTTPServer

kind, out, plan, port = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
lock = threading.Lock()
done = threading.Event()


def planned():
    try:
        return open(plan).read().strip() or "ok"
    except FileNotFoundError:
        return "ok"


def take(text, **further):
    with lock, open(out, "a") as file:
        file.write(json.dumps({"text": text, **further}) + "\n")
        file.flush()
        os.fsync(file.fileno())


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(sys.argv[5], sys.argv[6])
    if len(sys.argv) > 7:
        made.load_verify_locations(sys.argv[7])
        made.verify_mode = ssl.CERT_REQUIRED
    return made


class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        take(self.request[0].decode("utf-8"))


class Stream(socketserver.BaseRequestHandler):
    def handle(self):
        connection = self.request
        if kind == "tls":
            try:
                connection = context().wrap_socket(connection, server_side=True)
            except (ssl.SSLError, OSError) as why:
                print(f"handshake: {why}", file=sys.stderr)
                return
        how, data = planned(), b""
        if how == "hang":
            done.wait(30)
            return
        while True:
            try:
                more = connection.recv(65536)
            except (ssl.SSLError, OSError) as why:
                print(f"recv: {why}", file=sys.stderr)
                return
            if not more:
                break
            data += more
            if how == "half":
                # What is not read when the socket is closed makes it a reset.
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
                return
            # RFC 6587, section 3.4.1, and RFC 5425, section 4.3: MSG-LEN SP SYSLOG-MSG.
            while True:
                length, space, rest = data.partition(b" ")
                if not space:
                    break
                assert length.isdigit() and not length.startswith(b"0"), f"no MSG-LEN: {length[:40]!r}"
                if len(rest) < int(length):
                    break
                take(rest[: int(length)].decode("utf-8"))
                data = rest[int(length) :]
        assert data == b"", f"left over: {data[:80]!r}"
        if kind == "tls" and how != "rude":
            try:
                connection.unwrap()
            except (ssl.SSLError, OSError):
                pass
        connection.close()


class Web(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        how = planned()
        if how == "hang":
            done.wait(30)
            return
        if how == "half":
            self.rfile.read(10)
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers["content-length"])).decode("utf-8")
        if how == "ok":
            take(body, type=self.headers["content-type"], authorization=self.headers["authorization"], path=self.path)
        answer = b"" if how == "ok" else b"not now \x1b[2J\n"
        self.send_response(204 if how == "ok" else int(how))
        if how == "302":
            self.send_header("location", "http://127.0.0.1:1/elsewhere")
        if answer:
            self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Threads(socketserver.ThreadingMixIn):
    daemon_threads = True
    allow_reuse_address = True


if kind == "udp":
    # One after the other: threads would overtake each other.
    server = type("Server", (socketserver.UDPServer,), {"max_packet_size": 65536})(("127.0.0.1", port), Datagram)
elif kind in ("tcp", "tls"):
    server = type("Server", (Threads, socketserver.TCPServer), {})(("127.0.0.1", port), Stream)
else:
    server = type("Server", (Threads, HTTPServer), {})(("127.0.0.1", port), Web)
    if kind == "https":
        server.socket = context().wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
done.set()
os._exit(0)
