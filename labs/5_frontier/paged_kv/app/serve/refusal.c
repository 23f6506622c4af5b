#include "labs/5_frontier/paged_kv/app/serve/refusal.h"
#include <stdarg.h>
#include <stdio.h>
#include "common/text.h"
#include "labs/5_frontier/paged_kv/app/chat/json_text.h"
#include "labs/5_frontier/paged_kv/app/serve/write.h"

bool refuse(Refusal *r, int status, const char *param, const char *format, ...)
{
    Error err;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err.message, sizeof err.message, format, arguments);
    va_end(arguments);
    return refuse_with(r, status, param, NULL, &err);
}

bool refuse_with(Refusal *r, int status, const char *param, const char *code, const Error *err)
{
    *r = (Refusal){.status = status, .code = code, .err = *err};
    snprintf(r->param, sizeof r->param, "%s", param);
    text_clean(r->param);
    text_clean(r->err.message);    // it may quote what was sent
    return false;
}

static const char *type_of(int status)
{
    switch (status) {
    case 401: return "authentication_error";
    case 403: return "permission_error";
    case 408: return "timeout_error";
    case 429: return "rate_limit_error";
    default: return status < 500 ? "invalid_request_error" : "server_error";
    }
}

void refusal_write(Bytes *out, const Refusal *r)
{
    write_text(out, "{\"error\":{\"message\":");
    json_text_quote(out, r->err.message);
    write_format(out, ",\"type\":\"%s\",\"param\":", type_of(r->status));
    if (r->param[0] != '\0') json_text_quote(out, r->param);
    else write_text(out, "null");
    write_text(out, ",\"code\":");
    if (r->code != NULL) json_text_quote(out, r->code);
    else write_text(out, "null");
    write_text(out, "}}");
}
