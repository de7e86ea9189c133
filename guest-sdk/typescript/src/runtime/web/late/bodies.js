// What is sent and received, which few queries and mutations use: their code is a text in the snapshot until one of them is first named.
import "./blob.js";
import "./form_data.js";
import "./headers.js";
import "./messages.js";

export { answer } from "./answer.js";
export { fetch } from "./fetch.js";
export { getBlob, storeBlob } from "./files.js";
