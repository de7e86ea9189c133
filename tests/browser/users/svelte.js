// Svelte, with `convex-svelte`.
import { mount } from "svelte";
import { root } from "./app.js";
import App from "./App.svelte";

mount(App, { target: root });
