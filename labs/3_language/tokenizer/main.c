/* main.c -- for now. */
#include "labs/3_language/tokenizer/tokenizer.h"
int main(void)
{
    return 0;
}
