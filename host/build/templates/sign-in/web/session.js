// Who is signed in, in all tabs of this browser: two tokens in its local storage. The token is good for minutes; the
// refresh token brings the next one, and is good once, so that one tab at a time asks for it. Were two to ask at once all
// the same, both would get some: the host takes what it has just replaced for a moment.

const KEY = "session";
/** A token that is good for less is not worth sending. */
const LEEWAY_MS = 1000;
const PATIENCE_MS = 15_000;
/** Tabs see what others store a moment later. */
const STORAGE_MS = 100;

export class Session {
  #address;
  #onChange = () => {};
  #current = sessionOf(stored()); // which session it is, as far as `#onChange` was told
  #given = null; // the tokens of which `fetchToken` gave one last

  constructor(address) {
    this.#address = address;
    addEventListener("storage", () => this.#tell());
  }

  get isSignedIn() {
    return stored() !== null;
  }

  // Calls `onChange` when somebody has signed in or out, in whichever tab.
  onChange(onChange) {
    this.#onChange = onChange;
  }

  async signUp(email, password) {
    this.#store(await this.#call("auth:signUp", { email, password }));
  }

  async signIn(email, password) {
    this.#store(await this.#call("auth:signIn", { email, password }));
  }

  // At once in this browser; and on the host, if that can be reached.
  async signOut() {
    const tokens = stored();
    this.#forget(tokens);
    if (tokens === null) return;
    await this.#call("auth:signOut", { refreshToken: tokens.refreshToken }).catch(console.warn);
  }

  // In this browser alone: the session of which `fetchToken` gave a token.
  forget() {
    this.#forget(this.#given);
  }

  // Asks the host whether the session goes on; if not, it is forgotten.
  async check() {
    await alone(async () => stored() === null || this.#refresh());
  }

  // A token for `LiveClient.setAuth`: the one that there is, or, with `forceRefreshToken`, another one than the last.
  fetchToken = async ({ forceRefreshToken }) => {
    const isGood = (tokens) =>
      tokens === null ||
      (tokens.goodUntil > Date.now() + LEEWAY_MS &&
        !(forceRefreshToken && tokens.token === this.#given?.token));
    // Another tab may be the first to ask for new ones: then they are there when it is this one's turn.
    if (!isGood(stored())) await alone(async () => isGood(stored()) || this.#refresh());
    this.#given = stored();
    return this.#given?.token ?? null;
  };

  async #refresh() {
    const { refreshToken } = stored();
    try {
      const answer = await this.#call("auth:refresh", { refreshToken });
      // Unless somebody has signed out meanwhile, or in as somebody else.
      if (stored()?.refreshToken === refreshToken) this.#store(answer);
    } catch (error) {
      if (error.data?.code !== "SessionEnded") throw error;
      if (stored()?.refreshToken === refreshToken) this.#forget(stored());
    }
  }

  // Over HTTP, because the socket waits for the token. The error has the function's data, if it gave any.
  async #call(path, args) {
    const request = {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ path, args, format: "json" }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    };
    const response = await fetch(`${this.#address}/api/mutation`, request).catch(() => {
      throw new Error("The server cannot be reached. Try again in a moment.");
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.message);
    const data = answer.status === "success" ? answer.value?.error : answer.errorData;
    if (answer.status === "success" && !data) return answer.value;
    throw Object.assign(new Error(data?.message ?? answer.errorMessage), { data });
  }

  #store({ tokens }) {
    // By this machine's clock, whatever the host's says.
    const goodUntil = Date.now() + tokens.seconds * 1000;
    localStorage.setItem(KEY, JSON.stringify({ ...tokens, goodUntil }));
    this.#tell();
  }

  // Forgets tokens and those that came after them.
  #forget(tokens) {
    if (sessionOf(stored()) === sessionOf(tokens)) localStorage.removeItem(KEY);
    this.#tell();
  }

  #tell() {
    const current = sessionOf(stored());
    if (current === this.#current) return;
    this.#current = current;
    this.#onChange();
  }
}

function stored() {
  return JSON.parse(localStorage.getItem(KEY));
}

// A refresh token begins with the session that it is of.
function sessionOf(tokens) {
  return tokens?.refreshToken.split(".")[0];
}

// Does `work` while no other tab does its own. Browsers have locks for pages that are served over HTTPS, or from this
// machine.
function alone(work) {
  if (navigator.locks === undefined) return work();
  return new Promise((resolve, reject) => {
    navigator.locks.request(KEY, async () => {
      const done = work();
      done.then(resolve, reject);
      await done.catch(() => {});
      await new Promise((wait) => setTimeout(wait, STORAGE_MS));
    });
  });
}
