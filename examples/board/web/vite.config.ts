import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// In production the host serves the page, so page and API share one origin.
// `npm run dev` serves the page itself and passes API calls on to the host.
export default defineConfig({
  plugins: [react()],
  server: {
    proxy: { "/api": { target: "http://127.0.0.1:3210", ws: true } },
  },
});
