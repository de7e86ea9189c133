import { LiveClient } from "./live.js";

const element = (id) => document.getElementById(id);
const client = new LiveClient(location.origin, (isConnected) => {
  element("state").textContent = isConnected ? "live" : "connecting";
  element("state").dataset.live = isConnected;
});

client.watch("todos:list", {}, show, fail);

element("add").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = event.target.elements.text;
  run("todos:add", { text: input.value });
  input.value = "";
});
element("clear").addEventListener("click", () => run("todos:clearDone", {}));

function run(path, args) {
  element("error").hidden = true;
  client.mutate(path, args).catch(fail);
}

function show(todos) {
  element("todos").replaceChildren(...todos.map(item));
  const open = todos.filter((todo) => !todo.done).length;
  element("count").textContent = todos.length === 0 ? "Nothing yet." : `${open} of ${todos.length} to do`;
  element("clear").hidden = open === todos.length;
}

function item(todo) {
  const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: todo.done });
  box.addEventListener("change", () => run("todos:toggle", { id: todo._id }));
  const label = document.createElement("label");
  label.append(box, Object.assign(document.createElement("span"), { textContent: todo.text }));
  const line = document.createElement("li");
  line.append(label);
  return line;
}

function fail(error) {
  const lines = error.message.split("\n");
  element("error").textContent = lines[1] ?? lines[0];
  element("error").hidden = false;
}
