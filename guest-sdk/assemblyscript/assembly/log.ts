import { logWrite } from "./host/imports";
import { freeUtf8, utf8 } from "./host/memory";

/** The world's levels, in its order. */
export enum LogLevel {
  Debug,
  Info,
  Log,
  Warn,
  Error,
}

function write(level: LogLevel, message: string): void {
  const bytes = utf8(message);
  logWrite(level, bytes.start, bytes.length);
  freeUtf8(bytes);
}

/** The language's `console`, whose lines reach the caller and the host's log. */
// @ts-ignore: decorator
@global
export namespace __weir_console {
  export function log(message: string = ""): void {
    write(LogLevel.Log, message);
  }
  export function debug(message: string = ""): void {
    write(LogLevel.Debug, message);
  }
  export function info(message: string = ""): void {
    write(LogLevel.Info, message);
  }
  export function warn(message: string = ""): void {
    write(LogLevel.Warn, message);
  }
  export function error(message: string = ""): void {
    write(LogLevel.Error, message);
  }
  export function assert<T>(condition: T, message: string = ""): void {
    if (!condition) write(LogLevel.Error, message.length == 0 ? "Assertion failed" : "Assertion failed: " + message);
  }
}
