# SPDX-License-Identifier: MIT
"""A TCP proxy that behaves as badly as a network can: it cuts, falls silent, slows down, and leads to
another server from one connection to the next."""
import selectors
import socket
import threading
import time


class Proxy:
    def __init__(self, port):
        self.target = port          # where the next connection goes
        self.is_silent = False      # bytes are swallowed, and nobody is told
        self.refuses = False        # new connections are closed at once
        self.bytes_per_second = 0   # 0: as fast as it goes
        self.accepted = 0
        self.pairs = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            try:
                if self.refuses:
                    raise OSError
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            self.accepted += 1
            with self.lock:
                self.pairs.append((client, server))
            threading.Thread(target=self.pump, args=(client, server), daemon=True).start()

    def pump(self, client, server):
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            try:
                while True:
                    for key, _ in selector.select():
                        chunk = key.fileobj.recv(65536)
                        if not chunk:
                            return
                        if self.is_silent:
                            continue
                        if self.bytes_per_second:
                            time.sleep(len(chunk) / self.bytes_per_second)
                        key.data.sendall(chunk)
            except (OSError, ValueError):
                pass
            finally:
                client.close()
                server.close()

    def cut(self):
        """Ends every connection with a reset."""
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for one in pair:
                try:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
