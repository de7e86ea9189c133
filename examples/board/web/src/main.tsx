import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ConvexProvider, ConvexReactClient } from "convex/react";
import { DiffWebSocket } from "@weir/diffs";
import { App } from "./App";
import "./style/base.css";
import "./style/board.css";
import "./style/card.css";
import "./style/panel.css";

/** The host that serves this page, unless the build says otherwise. */
const url = import.meta.env.VITE_CONVEX_URL ?? window.location.origin;

const convex = new ConvexReactClient(url, {
  webSocketConstructor: DiffWebSocket, // results travel as diffs
});

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <ConvexProvider client={convex}>
      <App />
    </ConvexProvider>
  </StrictMode>,
);
