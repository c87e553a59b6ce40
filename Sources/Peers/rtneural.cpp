// RTNeural's LSTM with one input and a dense output of one number, sizes fixed at compile time.
//
//     rtneural R SECONDS        prints the nanoseconds of one step, of as many steps as fill SECONDS
//
// participants.py compiles it, once for each of RTNeural's backends.

#include <RTNeural/RTNeural.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

static std::vector<std::vector<float>> uniform(int rows, int columns, float limit) {
    static std::mt19937 random(1);
    std::uniform_real_distribution<float> distribution(-limit, limit);
    std::vector<std::vector<float>> values(rows, std::vector<float>(columns));
    for (auto& row : values)
        for (auto& value : row) value = distribution(random);
    return values;
}

template <int H>
static double nanoseconds(double least) {
    using Model = RTNeural::ModelT<float, 1, 1, RTNeural::LSTMLayerT<float, 1, H>, RTNeural::DenseT<float, H, 1>>;
    auto model = std::make_unique<Model>();
    const float limit = 1 / std::sqrt(float(H));
    model->template get<0>().setWVals(uniform(1, 4 * H, limit));
    model->template get<0>().setUVals(uniform(H, 4 * H, limit));
    model->template get<0>().setBVals(uniform(1, 4 * H, limit)[0]);
    model->template get<1>().setWeights(uniform(1, H, limit));
    model->template get<1>().setBias(uniform(1, 1, limit)[0].data());
    model->reset();

    alignas(64) const float input[16] = {0.5f};
    volatile float output = 0;
    for (long steps = 1000;; steps *= 2) {
        const auto start = std::chrono::steady_clock::now();
        for (long step = 0; step < steps; ++step) output = model->forward(input);
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        if (seconds >= least) return 1e9 * seconds / double(steps);
    }
}

int main(int count, char** arguments) {
    const int hidden = count == 3 ? std::atoi(arguments[1]) : 0;
    const double least = count == 3 ? std::atof(arguments[2]) : 0;
    switch (hidden) {
        case 8: std::printf("%f\n", nanoseconds<8>(least)); return 0;
        case 16: std::printf("%f\n", nanoseconds<16>(least)); return 0;
        case 20: std::printf("%f\n", nanoseconds<20>(least)); return 0;
        case 40: std::printf("%f\n", nanoseconds<40>(least)); return 0;
        case 50: std::printf("%f\n", nanoseconds<50>(least)); return 0;
        case 64: std::printf("%f\n", nanoseconds<64>(least)); return 0;
        case 100: std::printf("%f\n", nanoseconds<100>(least)); return 0;
        case 256: std::printf("%f\n", nanoseconds<256>(least)); return 0;
    }
    std::fprintf(stderr, "usage: rtneural R SECONDS, with one of the sizes of stream/lstm-dense\n");
    return 2;
}
