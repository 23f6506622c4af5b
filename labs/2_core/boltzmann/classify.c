/* classify.c -- a linear classifier on pixels, on an RBM's features, and on a deep belief network's. */
#include "labs/2_core/boltzmann/lab.h"

bool part_classify(void *context, Error *err)
{
    Lab *lab = context;
    Training *all[] = {&lab->on_pixels.training, &lab->on_features.training,
                       &lab->on_deep.training};
    const char *const inputs[] = {"pixels", "features of the RBM", "features of two layers"};
    const Source *sources[] = {&lab->pixels, &lab->features, &lab->deep};
    if (!lab_train_cd(lab, err)) return false;
    run_print(lab->run, "The second layer of the deep belief network learns the features of the "
                        "first.");
    if (!training_run(&lab->session, &lab->second.training, err)) return false;
    for (int i = 0; i < 3; i++)
        if (!training_run(&lab->session, all[i], err)) return false;
    Table table = table_new(lab->step, "logistic regression on|numbers|test accuracy [%]");
    for (int i = 0; i < 3; i++)
        table_row(&table, "%s|%d|%.2f", inputs[i], source_width(sources[i]),
                  100.0 * (double)training_test_accuracy(all[i]));
    run_table(lab->run, &table);
    training_plot_accuracy(lab->run,
                           &(Plot){.title = "Accuracy of logistic regression",
                                   .x_label = "epoch",
                                   .y_label = "test accuracy [%]"},
                           "accuracy", all, 3);
    return true;
}
