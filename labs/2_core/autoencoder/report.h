/* report.h -- the lab's pictures and plots, each a file in the run's folder. */
#pragma once
#include "common/run.h"
#include "datasets/images.h"
#include "labs/2_core/autoencoder/network.h"
#include "labs/2_core/autoencoder/pca.h"

// One test image of each class: the original, and the reconstructions by PCA and by the autoencoder.
void report_reconstructions(const Run *run, Arena *scratch, const Images *test, const Pca *pca,
                            const Autoencoder *net);

// The original, corrupted, and denoised.
void report_denoised(const Run *run, Arena *scratch, const Images *test, const Autoencoder *net,
                     float noise);

// The latent codes of the test images, a color for each class.
void report_latent(const Run *run, Arena *scratch, const Images *test, const Autoencoder *vae);

// The decoder's output for codes on a grid of the normal distribution's quantiles.
void report_samples(const Run *run, Arena *scratch, const Autoencoder *vae);
