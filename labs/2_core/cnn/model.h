/* model.h -- a trained network in a file, which knows its classes, and what it makes of a picture.
 *
 * The file is in the safetensors format. Its metadata hold the network's name, the names of the classes
 * in lines, and the frame of the images that it was trained on (datasets/frame.h).
 */
#pragma once
#include "common/run.h"
#include "datasets/frame.h"
#include "labs/2_core/cnn/network.h"

#define MODEL_FILE "model.safetensors"

bool model_save(const char *path, const Params *params, const Network *net, const Images *train,
                Error *err);

// Prints what the network of the file takes the picture for, with probabilities, and saves what it saw
// in out/classified.png. Nothing else of the run's results changes. False with a message.
bool model_classify(const Run *run, const char *model_path, const char *picture_path, Error *err);
