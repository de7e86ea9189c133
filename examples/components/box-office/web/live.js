// A small client for this page, without a build step: it watches queries and runs mutations over one WebSocket, for
// somebody who is signed in or for nobody in particular. Apps with a build step use the npm package `convex`, which
// speaks the same protocol and does much more.

const NO_TIME = "AAAAAAAAAAA=";
/** So many tokens in a row that the host refuses, and nobody is signed in any more. */
const REFUSALS_MAX = 3;

export class LiveClient {
  #address;
  #socket;
  #hasBegun = false; // the socket is open, and the host knows who this is
  #queries = new Map(); // id -> {path, args, onResult, onError}
  #mutations = new Map(); // id -> {path, args, resolve, reject}
  #session = crypto.randomUUID?.() ?? randomUuid();
  #nextId = 0;
  #connections = 0;
  #querySet = 0;
  #maxTs;
  #onState;
  #auth; // {fetchToken, onChange}
  #token = null;
  #identity = 0; // how often the host was told, on this socket
  #isConfirmed = true; // it has answered, and every result is what this user sees
  #refusals = 0;
  #renewal;

  // `onState(isConnected)` is called whenever the connection opens or closes.
  constructor(address, onState = () => {}) {
    this.#address = `${address.replace(/^http/, "ws")}/api/sync`;
    this.#onState = onState;
    this.#connect();
  }

  // Calls `onResult` with each new result of the query, now and whenever it changes, until what is given is called.
  watch(path, args, onResult, onError = console.error) {
    const id = this.#nextId++;
    this.#queries.set(id, { path, args, onResult, onError });
    if (this.#hasBegun) this.#change([this.#add(id)]);
    return () => {
      if (this.#queries.delete(id) && this.#hasBegun) this.#change([{ type: "Remove", queryId: id }]);
    };
  }

  // The mutation's result; sent again after a lost connection, and still run once.
  mutate(path, args) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#mutations.set(id, { path, args, resolve, reject });
      if (this.#hasBegun) this.#sendMutation(id);
    });
  }

  // Says who this is. `fetchToken({forceRefreshToken})` gives a token, or null for nobody. It is asked again before the
  // token expires, and when the host refuses it, then with `forceRefreshToken`; it throws if it cannot tell just now.
  // `onChange(isAuthenticated)` is called when every query that is watched has the result of whoever it is.
  setAuth(fetchToken, onChange = () => {}) {
    this.#auth = { fetchToken, onChange };
    this.#refusals = 0;
    // A socket that has not begun asks for itself.
    if (this.#hasBegun) this.#renew(false);
  }

  #connect() {
    const socket = new WebSocket(this.#address);
    this.#socket = socket;
    socket.onopen = () => this.#begin(socket);
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    socket.onclose = () => {
      this.#hasBegun = false;
      clearTimeout(this.#renewal);
      this.#onState(false);
      setTimeout(() => this.#connect(), 500 + Math.random() * 1000);
    };
  }

  async #begin(socket) {
    let auth, token;
    do {
      auth = this.#auth;
      token = await this.#fetchToken(this.#refusals > 0).catch(() => undefined);
    } while (auth !== this.#auth);
    if (socket.readyState !== WebSocket.OPEN) return;
    // Nobody can tell who this is just now: once more, in a moment.
    if (token === undefined) return socket.close();
    this.#hasBegun = true;
    this.#querySet = 0;
    this.#identity = 0;
    this.#send({
      type: "Connect",
      sessionId: this.#session,
      connectionCount: this.#connections++,
      lastCloseReason: null,
      maxObservedTimestamp: this.#maxTs,
    });
    this.#token = token;
    if (token !== null) this.#authenticate();
    else auth?.onChange(false);
    this.#change([...this.#queries.keys()].map((id) => this.#add(id)));
    for (const id of this.#mutations.keys()) this.#sendMutation(id);
    this.#onState(true);
  }

  async #fetchToken(forceRefreshToken) {
    if (this.#auth === undefined || this.#refusals >= REFUSALS_MAX) return null;
    return this.#auth.fetchToken({ forceRefreshToken });
  }

  // Asks for another token, and says it.
  async #renew(forceRefreshToken) {
    clearTimeout(this.#renewal);
    const [auth, socket] = [this.#auth, this.#socket];
    const token = await this.#fetchToken(forceRefreshToken).catch(() => undefined);
    if (auth !== this.#auth || socket !== this.#socket || !this.#hasBegun) return;
    if (token === undefined) {
      this.#renewal = setTimeout(() => this.#renew(forceRefreshToken), 2000);
    } else if (token !== this.#token) {
      this.#token = token;
      this.#authenticate();
    } else if (token === null) {
      auth.onChange(false);
    } else {
      this.#renewLater();
    }
  }

  #authenticate() {
    const token = this.#token;
    const who = token === null ? { tokenType: "None" } : { tokenType: "User", value: token };
    this.#send({ type: "Authenticate", baseVersion: this.#identity++, ...who });
    this.#isConfirmed = false;
    if (token !== null) this.#renewLater();
  }

  // A moment before the token expires. By a clock that is wrong it may have expired long ago: it is good for as long as
  // it was made for, then, and if not, the host says so.
  #renewLater() {
    const { iat, exp } = JSON.parse(atob(this.#token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
    const left = exp - Date.now() / 1000;
    const seconds = left > 0 ? Math.min(left, exp - iat) : exp - iat;
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(() => this.#renew(true), (seconds - Math.min(10, seconds / 4)) * 1000);
  }

  #receive(message) {
    if (message.type === "Transition") {
      const { ts, identity, querySet } = message.endVersion;
      if (ts !== NO_TIME) this.#maxTs = ts;
      for (const change of message.modifications) this.#apply(change);
      if (!this.#isConfirmed && identity === this.#identity && querySet === this.#querySet) {
        this.#isConfirmed = true;
        this.#refusals = 0;
        this.#auth?.onChange(this.#token !== null);
      }
    } else if (message.type === "MutationResponse") {
      const mutation = this.#mutations.get(message.requestId);
      this.#mutations.delete(message.requestId);
      if (message.success) mutation?.resolve(message.result);
      else mutation?.reject(failure(message.result, message.errorData));
    } else if (message.type === "AuthError") {
      // The host closes the socket, and the next one begins with another token.
      this.#refusals += 1;
    } else if (message.type === "FatalError") {
      console.error(message.error);
    }
  }

  #apply(change) {
    const query = this.#queries.get(change.queryId);
    if (change.type === "QueryUpdated") query?.onResult(change.value);
    else if (change.type === "QueryFailed") query?.onError(failure(change.errorMessage, change.errorData));
  }

  #add(queryId) {
    const { path, args } = this.#queries.get(queryId);
    return { type: "Add", queryId, udfPath: path, args: [args] };
  }

  #change(modifications) {
    const baseVersion = this.#querySet++;
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

// An error with the data that the function gave, if it gave any.
function failure(message, data) {
  return Object.assign(new Error(message), { data });
}

// For pages that are not served over HTTPS or from this machine, where browsers have no `randomUUID`.
function randomUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
