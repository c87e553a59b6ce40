// RTNeural's LSTM or GRU with one input and a dense output of one number, sizes fixed at compile time.
//
//     rtneural lstm|gru R WEIGHTS outputs STEPS    prints the outputs of so many steps
//     rtneural lstm|gru R WEIGHTS time SECONDS     prints the nanoseconds of one step, of as many steps as fill SECONDS
//
// WEIGHTS is a file of float32 in PyTorch's order: weight_ih, weight_hh, bias_ih, bias_hh, and the dense layer's weight
// and bias. rtneural.py compiles this, once for each of RTNeural's backends, with -DSIZES=8,16,20 or others.

#include <RTNeural/RTNeural.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using Row = std::vector<float>;
using Matrix = std::vector<Row>;

static constexpr float input = 0.5f;

// A file of numbers, read from its beginning to its end.
class Numbers {
public:
    explicit Numbers(const char* path) {
        std::ifstream file(path, std::ios::binary);
        const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
        values.resize(bytes.size() / sizeof(float));
        std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
    }

    Row take(std::size_t count) {
        if (values.size() - taken < count) {
            std::fprintf(stderr, "the file of weights is too short\n");
            std::exit(1);
        }
        const auto first = values.begin() + long(taken);
        taken += count;
        return Row(first, first + long(count));
    }

    // A matrix of so many rows, given back as its transpose.
    Matrix takeTransposed(std::size_t rows, std::size_t columns) {
        Matrix result(columns, Row(rows));
        for (std::size_t i = 0; i < rows; ++i) {
            const Row row = take(columns);
            for (std::size_t j = 0; j < columns; ++j) result[j][i] = row[j];
        }
        return result;
    }

private:
    Row values;
    std::size_t taken = 0;
};

template <int H>
struct LSTM {
    using Layer = RTNeural::LSTMLayerT<float, 1, H>;

    // The gates are in PyTorch's order; the two biases are one.
    static void load(Layer& layer, Numbers& numbers) {
        layer.setWVals(numbers.takeTransposed(4 * H, 1));
        layer.setUVals(numbers.takeTransposed(4 * H, H));
        Row bias = numbers.take(4 * H);
        const Row other = numbers.take(4 * H);
        for (std::size_t i = 0; i < bias.size(); ++i) bias[i] += other[i];
        layer.setBVals(bias);
    }
};

template <int H>
struct GRU {
    using Layer = RTNeural::GRULayerT<float, 1, H>;

    // PyTorch's r z n are z r n here.
    static Matrix exchanged(Matrix rows) {
        for (auto& row : rows)
            for (int i = 0; i < H; ++i) std::swap(row[std::size_t(i)], row[std::size_t(H + i)]);
        return rows;
    }

    static void load(Layer& layer, Numbers& numbers) {
        layer.setWVals(exchanged(numbers.takeTransposed(3 * H, 1)));
        layer.setUVals(exchanged(numbers.takeTransposed(3 * H, H)));
        const Row ofInput = numbers.take(3 * H), ofState = numbers.take(3 * H);
        layer.setBVals(exchanged({ofInput, ofState}));
    }
};

template <int H, template <int> class Cell>
static int measure(const char* weights, bool isTimed, double amount) {
    using Model = RTNeural::ModelT<float, 1, 1, typename Cell<H>::Layer, RTNeural::DenseT<float, H, 1>>;
    auto model = std::make_unique<Model>();
    Numbers numbers(weights);
    Cell<H>::load(model->template get<0>(), numbers);
    model->template get<1>().setWeights(Matrix{numbers.take(H)});
    model->template get<1>().setBias(numbers.take(1).data());
    model->reset();

    alignas(64) const float x[16] = {input};
    if (!isTimed) {
        for (long step = 0; step < long(amount); ++step) std::printf("%.9g\n", double(model->forward(x)));
        return 0;
    }
    volatile float output = 0;
    for (long steps = 1000;; steps *= 2) {
        const auto start = std::chrono::steady_clock::now();
        for (long step = 0; step < steps; ++step) output = model->forward(x);
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        if (seconds >= amount) {
            std::printf("%f\n", 1e9 * seconds / double(steps));
            return 0;
        }
    }
}

// Of the size that is asked for, one of those that were compiled.
template <template <int> class Cell, int... Sizes>
static int measure(std::integer_sequence<int, Sizes...>, int hidden, const char* weights, bool isTimed, double amount) {
    int status = 2;
    if (!((hidden == Sizes && (status = measure<Sizes, Cell>(weights, isTimed, amount), true)) || ...))
        std::fprintf(stderr, "this program was compiled without the size %d\n", hidden);
    return status;
}

int main(int count, char** arguments) {
    if (count == 6) {
        const std::string cell = arguments[1], work = arguments[4];
        const int hidden = std::atoi(arguments[2]);
        const double amount = std::atof(arguments[5]);
        const std::integer_sequence<int, SIZES> sizes;
        if (cell == "lstm") return measure<LSTM>(sizes, hidden, arguments[3], work == "time", amount);
        if (cell == "gru") return measure<GRU>(sizes, hidden, arguments[3], work == "time", amount);
    }
    std::fprintf(stderr, "usage: rtneural lstm|gru R WEIGHTS outputs|time STEPS|SECONDS\n");
    return 2;
}
