// The programs of npm's test262-parser-tests: those that are to be read, and those that are not.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import vm from "node:vm";

const root = dirname(createRequire(import.meta.url).resolve("test262-parser-tests/package.json"));

/** Whether each of a folder's programs is to be read. */
const FOLDERS = { pass: true, fail: false, early: false };

/** What QuickJS answers otherwise, without our patches and with them. */
const OTHERWISE = {
  "refuses `continue` with the outer one of a loop's labels": [
    "pass/1f3808cbdfab97e4.js",
    "pass/7a405ea1fdb6a26e.js",
  ],
  "reads a setter whose parameter takes the rest": ["fail/2f95824f19005b11.js", "fail/aae5dc521eff47c4.js"],
  "reads a comma in a computed name": [
    "fail/3a9fa392421db6dd.js",
    "fail/58707e130fe451a8.js",
    "fail/ea9e5f218423bd4f.js",
    "fail/ed0332c84e50834c.js",
  ],
  "reads reserved words as names of imports": [
    "fail/98f5714a70195f28.module.js",
    "fail/f44552157bc0db6e.module.js",
  ],
  "reads two exports with nothing between them": ["fail/48dee14b7a3a3767.module.js"],
  "reads an initial value of what `catch` takes apart": ["fail/831b4a1caf3c5a06.js"],
  "reads `let.a` before `of`": ["fail/ef2d369cccc5386c.js"],
  "reads classes that are named `eval` and `arguments`": [
    "early/4286a88aed2001ee.js",
    "early/84ef3bbaa772075f.js",
    "early/987442878ab414e7.js",
    "early/f1de9fc3ec4637cc.js",
  ],
  "reads a `let` or `const` with the name of what a parameter takes apart": [
    "early/14c149e612ab4111.js",
    "early/58bb4a3a2d717d4f.js",
    "early/627ae2300901a0b1.js",
    "early/6bb272e52a903c4c.js",
    "early/7a916ef0ccd4ea9c.js",
    "early/93b1547f64fd0370.js",
    "early/9ef7cc46ec36bb51.js",
    "early/b01e3a73a92863c5.js",
    "early/cc23480bdd763207.js",
    "early/d1779a4749085a10.js",
    "early/d412cecc75edd30d.js",
    "early/e1831477442a7ebf.js",
  ],
};
const otherwise = new Set(Object.values(OTHERWISE).flat());

/** Whether Node reads a script. */
function isReadByNode(source) {
  try {
    new vm.Script(source);
    return true;
  } catch {
    return false;
  }
}

/** What a program may be answered: what its folder says, or what Node says, for the language has changed since 2018. */
function answers(name, isRight, isModule) {
  if (isModule) return [isRight];
  return [isRight, isReadByNode(readFileSync(join(root, name), "utf8"))];
}

/** Each must be answered as it may be, but for what is listed, and that as without our patches. */
export async function runSyntax({ unpatched, checked }, fail) {
  let programs = 0;
  for (const [folder, isRight] of Object.entries(FOLDERS)) {
    for (const file of readdirSync(join(root, folder))) {
      programs++;
      const name = `${folder}/${file}`;
      const isModule = file.includes(".module.");
      const isListed = otherwise.has(name);
      for (const engine of isListed ? [unpatched, checked] : [checked]) {
        const { status, output } = await engine.parse(join(root, name), isModule);
        const isExpected = answers(name, isRight, isModule).includes(status === 0) !== isListed;
        if (status > 1 || !isExpected) fail(`${name} ends with ${status}`, output);
      }
    }
  }
  return `test262's programs: ${programs}, of which ${otherwise.size} are listed as ones that QuickJS answers otherwise`;
}
