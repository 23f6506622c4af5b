// graph.cpp -- graphs of launches, which a capture collects: one after the other, as on one stream.
#include <memory>
#include <vector>
#include "kernels/cuda/emulator/block.h"

struct EmulatorGraph {
    std::vector<std::shared_ptr<const emulator::Captured>> launches;
    bool invalid = false;
};

namespace emulator
{
static EmulatorGraph *captured;    // NULL: launches run

bool capturing()
{
    return captured;
}

void capture(const Captured *launch)
{
    captured->launches.emplace_back(launch);
}

bool capture_refuses()
{
    if (captured) captured->invalid = true;
    return captured;
}
}    // namespace emulator

using namespace emulator;

cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode)
{
    if (captured) return cudaErrorInvalidValue;
    captured = new EmulatorGraph;
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t *graph)
{
    EmulatorGraph *whole = captured;
    *graph = captured = nullptr;
    if (!whole) return cudaErrorInvalidValue;
    if (!whole->invalid) {
        *graph = whole;
        return cudaSuccess;
    }
    delete whole;
    set_last_error(cudaErrorStreamCaptureInvalidated);
    return cudaErrorStreamCaptureInvalidated;
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *launchable, cudaGraph_t graph,
                                          unsigned long long)
{
    *launchable = new EmulatorGraph(*graph);
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t launchable, cudaStream_t)
{
    if (capture_refuses())
        return cudaErrorStreamCaptureUnsupported;    // a graph in a graph: not emulated
    for (const auto &launch : launchable->launches) launch->run();
    return cudaPeekAtLastError();
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    delete graph;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t launchable)
{
    delete launchable;
    return cudaSuccess;
}
