# SPDX-License-Identifier: MIT
"""What fetch.sh fetches from: /flaky/N fails twice, /busy asks for a second's patience, /slow takes ten, /echo says what it
was asked. Prints its port."""
import http.server
import threading
import time

tries = {}
lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"ok", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        with lock:
            tries[self.path] = tries.get(self.path, 0) + 1
        if self.path.startswith("/flaky/"):
            self.answer(200 if tries[self.path] > 2 else 500)
        elif self.path == "/busy":
            self.answer(200 if tries[self.path] > 1 else 503, Retry_After="1")
        elif self.path == "/slow":
            time.sleep(10)
            self.answer(200)
        elif self.path == "/echo":
            self.answer(200, str(self.headers).encode())
        else:
            self.answer(404)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
