// `Intl`, and what depends on it.
export { METHODS } from "../../intl/install.js";
