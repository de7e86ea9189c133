// Small programs of what JavaScript and the web have. Each runs in the engine and in Node, whose answer is the right one.
import { bodyPrograms } from "./bodies.js";
import { abortPrograms } from "./events.js";
import { clonePrograms } from "./clones.js";
import { cryptoPrograms, exchanges } from "./crypto/programs.js";
import { jsonTextPrograms } from "./json_texts.js";
import { languagePrograms } from "./language.js";
import { textPrograms } from "./texts.js";
import { urlPrograms } from "./urls.js";

export const programs = {
  ...urlPrograms,
  ...textPrograms,
  ...clonePrograms,
  ...abortPrograms,
  ...bodyPrograms,
  ...languagePrograms,
  ...jsonTextPrograms,
  ...cryptoPrograms,
};

export { exchanges };
