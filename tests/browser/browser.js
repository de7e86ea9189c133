// Chromium for tests: Debian's, or whichever CHROMIUM_BIN names; a new profile each.
import { execFileSync } from "node:child_process";
import { chromium } from "playwright-core";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** Starts a browser; the caller closes it. */
export function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM_BIN ?? findChromium(),
    args: FLAGS,
  });
}

function findChromium() {
  for (const name of NAMES) {
    try {
      return execFileSync("sh", ["-c", `command -v ${name}`], {
        encoding: "utf8",
      }).trim();
    } catch {
      // Perhaps under the next name.
    }
  }
  throw new Error(
    "no Chromium found: run `scripts/setup test`, or set CHROMIUM_BIN",
  );
}
