/* pca.h -- principal components: the best linear code of a given size, to beat.
 *
 *     Pca pca = pca_fit(keep, &train, 30);
 *     Tensor *back = pca_reconstruct(step, &pca, x);    // [B,P] -> 30 numbers each -> [B,P]
 *
 * Among all linear maps to Z numbers and back, the projection on the Z leading eigenvectors of the
 * covariance leaves the least squared error (Pearson 1901; Eckart & Young 1936). An autoencoder
 * that does not beat it has learned nothing that a matrix does not know.
 */
#pragma once
#include "common/tensor.h"
#include "datasets/images.h"

typedef struct Pca {
    Tensor *mean;          // [1,P]
    Tensor *components;    // [Z,P], orthonormal rows, the largest variance first
} Pca;

// Eigenvectors of the training images' covariance, in double, by LAPACK's dsyevr. 1 <= Z <= P.
Pca pca_fit(Arena *keep, const Images *train, int code);
Tensor *pca_encode(Arena *step, const Pca *pca, const Tensor *x);         // [B,P] -> [B,Z]
Tensor *pca_reconstruct(Arena *step, const Pca *pca, const Tensor *x);    // [B,P] -> [B,P]
