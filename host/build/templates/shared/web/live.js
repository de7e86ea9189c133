// A small client for this page, without a build step: it watches queries and runs mutations over one WebSocket. Apps
// with a build step use the npm package `convex`, which speaks the same protocol and does much more.

const NO_TIME = "AAAAAAAAAAA=";

export class LiveClient {
  #address;
  #socket;
  #queries = new Map(); // id -> {path, args, onResult, onError}
  #mutations = new Map(); // id -> {path, args, resolve, reject}
  #session = crypto.randomUUID?.() ?? randomUuid();
  #nextId = 0;
  #connections = 0;
  #querySet = 0;
  #maxTs;
  #onState;

  // `onState(isConnected)` is called whenever the connection opens or closes.
  constructor(address, onState = () => {}) {
    this.#address = `${address.replace(/^http/, "ws")}/api/sync`;
    this.#onState = onState;
    this.#connect();
  }

  // Calls `onResult` with each new result of the query, now and whenever it changes.
  watch(path, args, onResult, onError = console.error) {
    const id = this.#nextId++;
    this.#queries.set(id, { path, args, onResult, onError });
    if (this.#isOpen) this.#add([id]);
  }

  // The mutation's result; sent again after a lost connection, and still run once.
  mutate(path, args) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#mutations.set(id, { path, args, resolve, reject });
      if (this.#isOpen) this.#sendMutation(id);
    });
  }

  get #isOpen() {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  #connect() {
    this.#socket = new WebSocket(this.#address);
    this.#socket.onopen = () => {
      this.#querySet = 0;
      this.#send({
        type: "Connect",
        sessionId: this.#session,
        connectionCount: this.#connections++,
        lastCloseReason: null,
        maxObservedTimestamp: this.#maxTs,
      });
      this.#add([...this.#queries.keys()]);
      for (const id of this.#mutations.keys()) this.#sendMutation(id);
      this.#onState(true);
    };
    this.#socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    this.#socket.onclose = () => {
      this.#onState(false);
      setTimeout(() => this.#connect(), 500 + Math.random() * 1000);
    };
  }

  #receive(message) {
    if (message.type === "Transition") {
      const { ts } = message.endVersion;
      if (ts !== NO_TIME) this.#maxTs = ts;
      for (const change of message.modifications) this.#apply(change);
    } else if (message.type === "MutationResponse") {
      const mutation = this.#mutations.get(message.requestId);
      this.#mutations.delete(message.requestId);
      if (message.success) mutation?.resolve(message.result);
      else mutation?.reject(new Error(message.result));
    } else if (message.type === "FatalError") {
      console.error(message.error);
    }
  }

  #apply(change) {
    const query = this.#queries.get(change.queryId);
    if (change.type === "QueryUpdated") query?.onResult(change.value);
    else if (change.type === "QueryFailed") query?.onError(new Error(change.errorMessage));
  }

  #add(ids) {
    const baseVersion = this.#querySet++;
    const modifications = ids.map((queryId) => {
      const { path, args } = this.#queries.get(queryId);
      return { type: "Add", queryId, udfPath: path, args: [args] };
    });
    this.#send({ type: "ModifyQuerySet", baseVersion, newVersion: this.#querySet, modifications });
  }

  #sendMutation(requestId) {
    const { path, args } = this.#mutations.get(requestId);
    this.#send({ type: "Mutation", requestId, udfPath: path, args: [args] });
  }

  #send(message) {
    this.#socket.send(JSON.stringify(message));
  }
}

// For pages that are not served over HTTPS or from this machine, where browsers have no `randomUUID`.
function randomUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
