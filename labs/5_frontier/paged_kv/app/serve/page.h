/* page.h -- page.html, as it was when this was built. */
#pragma once
#include <stddef.h>

extern const unsigned char page_html[];
extern const size_t page_html_bytes;
