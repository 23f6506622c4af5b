/* report.h -- the lab's pictures and tables of a trained network. */
#pragma once
#include "common/run.h"
#include "datasets/images.h"
#include "labs/2_core/cnn/network.h"

// p: [images,classes], the network's probabilities for the test set.
void report_confusion(const Run *run, Arena *scratch, const Images *test, const float *p);
void report_hardest(const Run *run, Arena *scratch, const Images *test, const float *p);

// The kernels of the first convolution.
void report_filters(const Run *run, Arena *scratch, const Network *net);

// What the first and the last convolution make of a test image.
void report_feature_maps(const Run *run, Arena *scratch, const Network *net, const Images *test);

// The gradient of the label's logit by the pixels, of an image of each class (Simonyan et al. 2014), and
// its mean over copies of the image with noise (Smilkov et al. 2017).
void report_saliency(const Run *run, Arena *scratch, const Network *net, const Images *test);
