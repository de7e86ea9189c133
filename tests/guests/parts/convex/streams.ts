import {
  PersistentTextStreaming,
  StreamIdValidator,
  type StreamId,
} from "@convex-dev/persistent-text-streaming";
import { v } from "convex/values";

import { components } from "./_generated/api";
import { httpAction, mutation, query } from "./_generated/server";

const streaming = new PersistentTextStreaming(components.persistentTextStreaming);

export const create = mutation({
  args: {},
  handler: async (ctx): Promise<string> => await streaming.createStream(ctx),
});

export const body = query({
  args: { streamId: StreamIdValidator },
  handler: async (ctx, { streamId }) => await streaming.getStreamBody(ctx, streamId as StreamId),
});

/** Writes the sentences that it is sent, piece by piece; fails where it is told to. */
export const chat = httpAction(async (ctx, request) => {
  const { streamId, pieces, pause, fail } = await request.json();
  const response = await streaming.stream(
    ctx,
    request,
    streamId as StreamId,
    async (_ctx, _request, _id, append) => {
      for (const piece of pieces) {
        await append(piece);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
      if (fail) throw new Error("on purpose");
    },
  );
  response.headers.set("Access-Control-Allow-Origin", "*");
  response.headers.set("Vary", "Origin");
  return response;
});
