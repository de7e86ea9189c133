import { LiveClient } from "./live.js";
import { Session } from "./session.js";

const element = (id) => document.getElementById(id);
const session = new Session(location.origin);
const client = new LiveClient(location.origin, (isConnected) => {
  element("state").textContent = isConnected ? "live" : "connecting";
  element("state").dataset.live = isConnected;
});

// Who is signed in, as the host says.
let me = null;
let stopNotes = null;

session.onChange(signIn);
signIn();
client.watch("auth:me", {}, (found) => {
  const wasSignedIn = me !== null;
  me = found;
  if (wasSignedIn && me === null) check();
  show();
});

function signIn() {
  client.setAuth(session.fetchToken, (isAuthenticated) => {
    // The host takes no token of this session.
    if (!isAuthenticated) session.forget();
    else if (me === null) check();
    show();
  });
}

// The session has ended from elsewhere, because another password was set, say. Or it has just begun, and what the socket
// shows is older: the host knows.
function check() {
  session.check().catch(console.warn);
}

function show() {
  const isSignedIn = session.isSignedIn && me !== null;
  element("sign-in").hidden = session.isSignedIn;
  element("notes").hidden = !isSignedIn;
  element("me").textContent = me?.email ?? "";
  element("username").value = me?.email ?? "";
  if (isSignedIn) stopNotes ??= client.watch("notes:list", {}, showNotes, () => {});
  else {
    stopNotes?.();
    stopNotes = null;
    showNotes([]);
  }
}

function showNotes(notes) {
  element("list").replaceChildren(...notes.map(item));
  element("empty").hidden = notes.length > 0;
}

function item(note) {
  const line = document.createElement("li");
  const text = Object.assign(document.createElement("span"), { textContent: note.text });
  const remove = Object.assign(document.createElement("button"), {
    className: "plain",
    textContent: "Remove",
  });
  remove.ariaLabel = `Remove ${note.text}`;
  remove.addEventListener("click", () => run(() => client.mutate("notes:remove", { id: note._id })));
  line.append(text, remove);
  return line;
}

// Whether an account is to be made, and not one that there is to be used.
let isNew = false;
element("other").addEventListener("click", () => beNew(!isNew));

function beNew(isToBe) {
  isNew = isToBe;
  element("submit").textContent = isNew ? "Create account" : "Sign in";
  element("other").textContent = isNew ? "Have an account? Sign in" : "New here? Create an account";
  element("sign-in").elements.password.autocomplete = isNew ? "new-password" : "current-password";
  element("error").hidden = true;
}

onSubmit("sign-in", async ({ email, password }) => {
  await (isNew ? session.signUp(email, password) : session.signIn(email, password));
  beNew(false);
});

onSubmit("add", ({ text }) => client.mutate("notes:add", { text }));

onSubmit("password", async (passwords) => {
  element("changed").textContent = "";
  const { error } = await client.mutate("auth:changePassword", passwords);
  if (error) throw Object.assign(new Error(error.message), { data: error });
  element("changed").textContent = "Changed. Other browsers are signed out.";
});

element("sign-out").addEventListener("click", () => run(() => session.signOut()));

// Runs `work` with the values of a form when it is sent, and empties it if that was well.
function onSubmit(id, work) {
  const form = element(id);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    if (await run(() => work(Object.fromEntries(new FormData(form))))) form.reset();
    button.disabled = false;
  });
}

// Does something, and shows why it failed, if it did.
async function run(work) {
  element("error").hidden = true;
  try {
    await work();
    return true;
  } catch (error) {
    element("error").textContent = error.data?.message ?? error.message.split("\n").at(-1);
    element("error").dataset.code = error.data?.code ?? "";
    element("error").hidden = false;
    return false;
  }
}
