// URL and URLSearchParams.
import { thrown } from "./show.js";

const PARTS = "href origin protocol username password host hostname port pathname search hash".split(" ");
const parts = (...args) => {
  const url = new URL(...args);
  return PARTS.map((name) => url[name]);
};
const href = (...args) => new URL(...args).href;

export const urlPrograms = {
  "url: all parts": () => parts("https://ada:se%20cret@Example.COM:8443/a/./b/../c%2f?x=1&y=%20#top"),
  "url: default ports": () =>
    ["http://a:80", "https://a:443/", "ws://a:80/x", "http://a:443"].map((url) => href(url)),
  "url: relative to a base": () =>
    ["../x", "./y?z", "//other/p", "?q", "#h", "", "/root", "mailto:a@b"].map((url) =>
      href(url, "http://h/a/b/c?d#e"),
    ),
  "url: other schemes": () =>
    ["mailto:a@b.c", "data:text/plain,a b#c", "javascript:1 + 1", "urn:isbn:1", "file:///C|/x/../y"].map(
      (url) => parts(url),
    ),
  "url: IPv4 and IPv6": () =>
    ["http://0x7f.1/", "http://2130706433/", "http://[::1]:80/", "http://[1:0:0:0:0:0:0:8]/"].map((url) =>
      href(url),
    ),
  "url: names of other scripts": () =>
    [
      "http://münchen.de/",
      "http://日本語.jp/",
      "http://FAß.de/",
      "http://ＥＸＡＭＰＬＥ.com/",
      "http://a。b/",
      "http://xn--mnchen-3ya.de/",
      "http://☃.net/",
      "http://ΒΌΛΟΣ.gr/",
      "http://a\u00adb.com/",
    ].map((url) => href(url)),
  "url: what is percent-encoded": () => href('http://h/ü<>"`{}|^~\'?ü<>"`{}\'#ü<>"`{}'),
  "url: white space and tabs": () => href("  http://h/a\tb\nc  "),
  "url: refused": () =>
    Promise.all(
      [
        "",
        "a",
        "http://",
        "http://a b/",
        "http://[::1",
        "http://1.2.3.256/",
        "http://h:99999/",
        "http://xn--a/",
      ].map((url) => thrown(() => href(url))),
    ),
  "url: refused without anything": () => thrown(() => new URL()),
  "url: canParse and parse": () => [
    URL.canParse("http://a"),
    URL.canParse("a"),
    URL.canParse("a", "http://b"),
    URL.canParse("http://a", "no base"),
  ],
  "url: setters": () => {
    const url = new URL("http://h/p");
    Object.assign(url, {
      protocol: "https",
      host: "x:81",
      pathname: "a b",
      search: "q=ü",
      hash: "z",
      username: "u@",
    });
    const first = url.href;
    Object.assign(url, { port: "443", hostname: "", search: "", hash: "", password: ":" });
    return [first, url.href];
  },
  "url: search parameters are the URL's": () => {
    const url = new URL("http://h/?a=1&b=2");
    url.searchParams.append("c", "x y");
    url.searchParams.delete("a");
    const first = url.href;
    url.search = "?n=1";
    return [first, [...url.searchParams], url.searchParams === url.searchParams];
  },
  "url: as JSON and as a text": () => [
    JSON.stringify({ url: new URL("http://h") }),
    String(new URL("http://h/é")),
  ],
  "url: its class": () => [
    Object.prototype.toString.call(new URL("http://h")),
    typeof URL.prototype.toJSON,
    URL.name,
    "href" in new URL("http://h"),
  ],
  "search: from a text": () => [...new URLSearchParams("?a=1&b=%20+&c&=d&a=%zz&%C3%A9=é")],
  "search: from a list, an object, another": () => {
    const from = (init) => String(new URLSearchParams(init));
    return [
      from([
        ["a", 1],
        ["b", "ü &"],
      ]),
      from({ x: "y z", n: null }),
      from(new URLSearchParams("q=1")),
      from(),
    ];
  },
  "search: get, getAll, has": () => {
    const all = new URLSearchParams("a=1&a=2&b=");
    return [
      all.get("a"),
      all.getAll("a"),
      all.get("c"),
      all.has("b"),
      all.has("a", "2"),
      all.has("a", "3"),
      all.size,
    ];
  },
  "search: set, append, delete, sort": () => {
    const all = new URLSearchParams("z=1&a=2&z=3&b=4&a=0");
    all.set("z", "9");
    all.append("b", "~*'()!-._");
    all.delete("a", "0");
    all.sort();
    return String(all);
  },
  "search: iteration": () => {
    const all = new URLSearchParams("a=1&b=2");
    const seen = [];
    all.forEach((value, key, own) => seen.push(key, value, own === all));
    return [seen, [...all.keys()], [...all.values()], Object.fromEntries(all)];
  },
  "search: lone halves of pairs": () => String(new URLSearchParams({ a: "\ud800" })),
  "search: refused": () => Promise.all([[["a"]], [1]].map((init) => thrown(() => new URLSearchParams(init)))),
  "uri: encode and decode": () => [
    encodeURIComponent("ü/?&='😀"),
    encodeURI("http://h/ü?a=b c"),
    decodeURIComponent("%F0%9F%98%80%2F"),
  ],
  "uri: refused": () =>
    Promise.all([() => encodeURIComponent("\ud800"), () => decodeURIComponent("%c3")].map(thrown)),
};
