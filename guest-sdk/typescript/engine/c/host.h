// The host's functions as functions of JavaScript.
#pragma once

#include "quickjs.h"

// Adds the objects `auth`, `db`, `context`, `calls`, `crypto`, `http`, `log`, `scheduler`, `streams`, `tasks` and
// `variables` to an object. Their functions take and give texts, and values where the host takes and gives JSON. What the host says against a call is
// thrown as `{payload: {code, message, data?}}`.
void host_install(JSContext *context, JSValueConst object);

// Ends with a line in the log and a trap: for what must not happen.
_Noreturn void host_die(const char *message);
