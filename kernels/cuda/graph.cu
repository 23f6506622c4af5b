/* graph.cu -- launches recorded as a CUDA graph and launched again as one, which costs the host one call where each
 * launch would cost one: for steps whose kernels are shorter than their launches (CUDA C++ Programming Guide, CUDA
 * Graphs, Creating a Graph Using Stream Capture).
 *
 * While a stream is captured nothing runs, and nothing may be asked for that needs an answer. Compiled for GPUs,
 * and never run on one; the emulator captures, refuses and replays as the runtime does.
 */
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/launch.h"

struct Recording {
    cudaGraphExec_t graph;
    long moves;    // of the workspace: its launches have the address
};

static bool recording, broken;

// Runs what was captured.
static cudaGraphExec_t end_capture()
{
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t launchable = nullptr;
    recording = false;
    if (cudaStreamEndCapture(launch_stream, &graph) != cudaSuccess) return nullptr;
    if (cudaGraphInstantiateWithFlags(&launchable, graph, 0) == cudaSuccess)
        cudaGraphLaunch(launchable, launch_stream);
    cudaGraphDestroy(graph);
    return launchable;
}

void cuda_record_begin(void)
{
    recording =
        cudaStreamBeginCapture(launch_stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess;
    broken = !recording;
}

void cuda_record_interrupt(void)
{
    if (!recording) return;
    cudaGraphExec_t graph = end_capture();
    if (graph) cudaGraphExecDestroy(graph);    // once it has run
    broken = true;
}

void *cuda_record_end(void)
{
    if (broken) return nullptr;
    const long moves = cuda_workspace_moves();
    cudaGraphExec_t graph = end_capture();
    return graph ? new Recording{graph, moves} : nullptr;
}

bool cuda_replay(void *of)
{
    const Recording *r = static_cast<Recording *>(of);
    if (r->moves != cuda_workspace_moves()) return false;
    cudaGraphLaunch(r->graph, launch_stream);
    return true;
}

void cuda_record_free(void *of)
{
    Recording *r = static_cast<Recording *>(of);
    if (!r) return;
    cudaGraphExecDestroy(r->graph);
    delete r;
}
