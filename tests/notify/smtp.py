"""An SMTP server (RFC 5321), by hand. Usage: smtp.py OUT PORT [CERT KEY]. With a certificate it offers STARTTLS, and takes mail
only after that and AUTH PLAIN. Writes a JSON line for each message: the envelope, and the message as Python's own parser reads it.
Prints its port; ends when its standard input does."""
import base64, email, email.policy, json, socket, ssl, sys, threading

out, port, tls = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
lock = threading.Lock()


def serve(client):
    state = {"secure": False, "user": None}
    file = client.makefile("rwb")

    def say(text):
        file.write(text.encode() + b"\r\n")
        file.flush()

    say("220 mail.acme.example ESMTP")
    sender, to = None, []
    while line := file.readline():
        if not line.endswith(b"\r\n"):
            return say("500 bare line end")
        word = line[:4].upper()
        if word == b"EHLO":
            offers = ["mail.acme.example", "8BITMIME", "SMTPUTF8"]
            if tls and not state["secure"]:
                offers.append("STARTTLS")
            if state["secure"]:
                offers.append("AUTH PLAIN LOGIN")
            for number, offer in enumerate(offers):
                say("250" + (" " if number == len(offers) - 1 else "-") + offer)
        elif word == b"STAR":
            say("220 go on")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            client = context.wrap_socket(client, server_side=True)
            file = client.makefile("rwb")
            state["secure"] = True
        elif word == b"AUTH":
            _, user, password = base64.b64decode(line.split()[2]).split(b"\0")
            state["user"] = [user.decode(), password.decode()]
            say("235 welcome")
        elif word == b"MAIL":
            if tls and not state["user"]:
                say("530 first AUTH")
                continue
            sender, to = line.split(b"<")[1].split(b">")[0].decode(), []
            say("250 ok")
        elif word == b"RCPT":
            to.append(line.split(b"<")[1].split(b">")[0].decode())
            say("250 ok")
        elif word == b"DATA":
            say("354 go on")
            lines = []
            while (line := file.readline()) != b".\r\n":
                lines.append(line[1:] if line.startswith(b".") else line)
            raw = b"".join(lines)
            read = email.message_from_bytes(raw, policy=email.policy.default)
            with lock, open(out, "a") as taken:
                taken.write(json.dumps({
                    "from": sender, "to": to, "user": state["user"], "secure": state["secure"],
                    "headers": [[name, str(value)] for name, value in read.items()],
                    "defects": [str(defect) for defect in read.defects], "text": read.get_content(),
                }) + "\n")
            say("250 taken")
        elif word == b"QUIT":
            return say("221 bye")
        elif word in (b"RSET", b"NOOP"):
            say("250 ok")
        else:
            say("500 what?")


def accept(server):
    while True:
        client, _ = server.accept()
        threading.Thread(target=serve, args=(client,), daemon=True).start()


server = socket.create_server(("127.0.0.1", port))
threading.Thread(target=accept, args=(server,), daemon=True).start()
print(server.getsockname()[1], flush=True)
sys.stdin.read()
