/* curves.h -- the parts of the story about one curve: its slope, its polynomials, its area. */
#pragma once
#include "common/run.h"

void curves_slopes(Run *run, Arena *step);        // the V-shaped error of small steps
void curves_taylor(Run *run, Arena *step);        // a sine made of powers
void curves_quadrature(Run *run, Arena *step);    // the area under a needle
