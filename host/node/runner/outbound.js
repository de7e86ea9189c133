// Where actions may connect to: the host's own rules, looked at in this process, because its sockets are Node's. It stops
// mistakes and requests that somebody talked an action into; it is no prison for the action's own author.
import dgram from "node:dgram";
import dns from "node:dns";
import net from "node:net";

import { installFetch } from "./fetch.js";

let rules;
let lists;

const CLOSED = {
  public: { closedV4: ["0.0.0.0/0"], closedV6: ["::/0"], globalV6: "2000::/3" },
  hosts: [],
  ranges: [],
  refusal: ", and this host lets actions connect to nothing",
};

/**
 * Puts rules in force, for connections from now on; null opens nothing, and so do rules with `byHost`, where the host sends
 * what `fetch` is asked for, and no name is looked up.
 */
export function setRules(given) {
  rules = given?.byHost === true ? { ...CLOSED, ...given } : (given ?? CLOSED);
  if (rules.byHost === true) installFetch();
  const { closedV4, closedV6, globalV6 } = rules.public;
  lists = {
    closedV4: listOf(closedV4),
    closedV6: listOf(closedV6),
    globalV6: listOf([globalV6]),
    open: listOf(rules.ranges),
  };
}

function listOf(ranges) {
  const list = new net.BlockList();
  for (const range of ranges) {
    const [address, bits] = range.split("/");
    list.addSubnet(address, Number(bits), familyOf(address));
  }
  return list;
}

const familyOf = (address) => (net.isIPv6(address) ? "ipv6" : "ipv4");

/** Whether actions may connect to an address. */
export function opensAddress(text) {
  const [address] = text.split("%");
  if (net.isIPv4(address)) return opensV4(address);
  const embedded = embeddedIn(address);
  // As the host has it: a range of IPv4 opens the address in its mapped form, and no other.
  const mapped =
    embedded !== undefined && isMapped(address) ? embedded : undefined;
  if (mapped !== undefined) return opensV4(mapped);
  if (embedded !== undefined && !lists.closedV4.check(embedded)) return true;
  if (lists.open.check(address, "ipv6")) return true;
  return (
    embedded === undefined &&
    lists.globalV6.check(address, "ipv6") &&
    !lists.closedV6.check(address, "ipv6")
  );
}

const opensV4 = (address) =>
  !lists.closedV4.check(address) || lists.open.check(address);

/** The eight parts of an IPv6 address. */
function segmentsOf(address) {
  // A URL has it in one form, without an IPv4 address in it.
  const text = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [before, after] = text
    .split("::")
    .map((part) => (part === "" ? [] : part.split(":")));
  const zeros =
    after === undefined
      ? []
      : Array(8 - before.length - after.length).fill("0");
  return [...before, ...zeros, ...(after ?? [])].map((part) =>
    Number.parseInt(part, 16),
  );
}

const isMapped = (address) =>
  segmentsOf(address)
    .slice(0, 5)
    .every((part) => part === 0);

/** The IPv4 address that an IPv6 address leads to: mapped, translated, or 6to4. */
function embeddedIn(address) {
  const [a, b, c, d, e, f, g, h] = segmentsOf(address);
  const of = (high, low) =>
    [high >> 8, high & 255, low >> 8, low & 255].join(".");
  const first = [a, b, c, d, e, f].join(":");
  if (first === "0:0:0:0:0:65535" || first === "100:65435:0:0:0:0")
    return of(g, h);
  return a === 0x2002 ? of(b, c) : undefined;
}

function opensHost(name, port) {
  const bare = name.replace(/\.+$/, "").toLowerCase();
  return rules.hosts.some(
    (host) =>
      host.name === bare && (host.port === null || host.port === Number(port)),
  );
}

function refused(what) {
  return Object.assign(new Error(`${what}${rules.refusal}`), {
    code: "AddressRefused",
  });
}

/** Finds the addresses of a name, and leaves out those that are closed. */
function guarded(lookup) {
  return (name, options, callback) =>
    lookup(name, options, (error, found, family) => {
      if (error) return callback(error);
      if (!Array.isArray(found)) {
        return opensAddress(found)
          ? callback(null, found, family)
          : callback(refused(`\`${name}\` is at ${found}`));
      }
      const open = found.filter(({ address }) => opensAddress(address));
      if (open.length > 0 || found.length === 0) return callback(null, open);
      return callback(refused(`\`${name}\` is at ${found[0].address}`));
    });
}

/** What is wrong with where a socket is to be connected to, before its name is looked up. */
function refusalOf({ path, host, port }) {
  if (rules.byHost === true)
    return refused(`${path || `${host}:${port}`} is outside`);
  if (path) return refused(`${path} is a socket of this machine`);
  if (net.isIP(host) && !opensHost(host, port) && !opensAddress(host))
    return refused(`${host}:${port} is at ${host}`);
  return undefined;
}

/** Lets all sockets of this process hold to the rules. */
export function installOutbound() {
  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...args) {
    const normalized = Array.isArray(args[0])
      ? args[0]
      : net._normalizeArgs(args);
    const options = { host: "localhost", ...normalized[0] };
    options.host ||= "localhost";
    const refusal = refusalOf(options);
    if (refusal !== undefined) {
      process.nextTick(() => this.destroy(refusal));
      return this;
    }
    if (!opensHost(options.host, options.port))
      options.lookup = guarded(options.lookup ?? dns.lookup);
    normalized[0] = options;
    return connect.call(this, normalized);
  };
  for (const method of ["connect", "send", "bind"]) {
    dgram.Socket.prototype[method] = () => {
      throw Object.assign(new Error("actions send nothing over UDP"), {
        code: "AddressRefused",
      });
    };
  }
}
