# cmake -DFROM=page.html -DTO=page.c -P embed.cmake: a file as an array of bytes.
file(READ ${FROM} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${TO} "#include \"labs/5_frontier/paged_kv/app/serve/page.h\"
const unsigned char page_html[] = {${bytes}};
const size_t page_html_bytes = sizeof page_html;
")
