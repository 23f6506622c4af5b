/* report.h -- what the lab shows at its end: pictures and plots into the run's folder.
 *
 * Each draws one file and prints its path. A picture that cannot be written, or a plot without
 * gnuplot, costs a sentence on stderr and not the run.
 */
#pragma once
#include "common/training.h"
#include "datasets/images.h"
#include "labs/2_core/autoencoder/network.h"
#include "labs/2_core/autoencoder/pca.h"

// Loss of train and test against the epoch: of the networks that draw (curves), and of those that read
// (reading).
void report_curves(const Run *run, Training *const trainings[], int count);

// One digit of each class: the original over what PCA and the autoencoder make of their codes.
void report_reconstructions(const Run *run, Arena *step, const Images *test, const Pca *pca,
                            const Autoencoder *net);

// The original, with pixels knocked out, and repaired.
void report_denoised(const Run *run, Arena *step, const Images *test, const Autoencoder *net,
                     float noise);

// The test images' two-number codes, a colour for each digit.
void report_latent(const Run *run, Arena *step, const Images *test, const Autoencoder *vae);

// What the decoder draws for codes on a grid of the normal distribution's quantiles.
void report_samples(const Run *run, Arena *step, const Autoencoder *vae);
