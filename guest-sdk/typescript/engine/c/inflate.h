// Texts of the runtime that are packed until they are needed.
#pragma once

#include "quickjs.h"

// Adds `inflate(bytes)` to an object: the text that was packed as DEFLATE has it (RFC 1951), behind its size as
// four bytes, the lowest first.
void inflate_install(JSContext *context, JSValueConst object);
