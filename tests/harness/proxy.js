// A wire that a test can cut: a TCP proxy in front of a host, which can also hold
// back what the host answers.
import { once } from "node:events";
import { connect, createServer } from "node:net";

export class Proxy {
  #server;
  #pairs = new Set();
  #holding = false;

  /** A proxy in front of `port`, gone with the test `t`. */
  static async open(t, port) {
    const proxy = new Proxy();
    proxy.#server = createServer((near) => proxy.#join(near, port));
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    t.after(() => proxy.#close());
    return proxy;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** From now on, nothing that the host says comes through. */
  hold() {
    this.#holding = true;
  }

  /** Breaks every connection; what was held back is lost. New ones work again. */
  cut() {
    this.#holding = false;
    for (const [near, far] of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
    this.#pairs.clear();
  }

  #join(near, port) {
    const far = connect(port, "127.0.0.1");
    const pair = [near, far];
    this.#pairs.add(pair);
    near.on("data", (data) => far.write(data));
    far.on("data", (data) => this.#holding || near.write(data));
    for (const socket of pair) {
      socket.setNoDelay(true);
      // A connection that breaks is what this is for.
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
  }

  async #close() {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }
}
