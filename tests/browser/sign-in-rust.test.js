import { signsIn } from "./sign-in.js";

signsIn("rust", ["cargo", "test"]);
