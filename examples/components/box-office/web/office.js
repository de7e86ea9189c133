import { LiveClient } from "./live.js";

// Whose window this is: `/?ada`.
const customer = decodeURIComponent(location.search.slice(1)) || "ada";
const element = (id) => document.getElementById(id);
const client = new LiveClient(location.origin, (isConnected) => {
  element("state").textContent = isConnected ? "live" : "connecting";
  element("state").dataset.live = isConnected;
});

element("customer").textContent = customer;
client.watch("office:show", { customer }, show, fail);

element("print").addEventListener("click", () => run("office:print", { count: 5 }));
element("pay").addEventListener("click", () => run("office:pay", { customer, amount: 20 }));
element("buy").addEventListener("submit", (event) => {
  event.preventDefault();
  run("office:buy", {
    customer,
    count: event.target.elements.count.valueAsNumber,
  });
});

function run(path, args) {
  element("error").hidden = true;
  client.mutate(path, args).catch(fail);
}

function show(shown) {
  for (const name of ["left", "takings", "coins", "tickets"]) element(name).textContent = shown[name];
  element("orders").replaceChildren(...shown.orders.map(line));
  element("none").hidden = shown.orders.length > 0;
}

function line(text) {
  return Object.assign(document.createElement("li"), { textContent: text });
}

function fail(error) {
  const { data } = error;
  const lines = error.message.split("\n");
  element("error").textContent =
    data?.code === "TooLittle" ? `Too little: ${data.owner} has ${data.amount}.` : (lines[1] ?? lines[0]);
  element("error").hidden = false;
}
