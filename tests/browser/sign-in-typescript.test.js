import { signsIn } from "./sign-in.js";

signsIn("typescript", ["npm", "test"]);
