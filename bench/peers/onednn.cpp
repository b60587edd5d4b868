// oneDNN's RNN primitive. Speaks as rust/src/lib.rs tells; bench/peers.py compiles it against each library it finds.
//
// Weights are reordered into the layout that the primitive asks for outside the time that is taken. Both that layout
// ("any") and the plain one are tried, and the faster is kept. Initial states are given, as zeros: left out, the
// gradient of the recurrent weights is wrong in some versions.

#include <chrono>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

#include "oneapi/dnnl/dnnl.hpp"

using namespace dnnl;
using tag = memory::format_tag;
using Args = std::unordered_map<int, memory>;
using Numbers = std::vector<float>;

static double now() {
    using namespace std::chrono;
    return duration<double>(steady_clock::now().time_since_epoch()).count();
}

struct Work {
    std::string folder, name, cell, mode;
    long threads, input, hidden, batch, steps;
    long gates() const { return cell == "lstm" ? 4 : cell == "gru" ? 3 : 1; }
    bool stream() const { return mode == "stream"; }

    Numbers read(const std::string &file) const {
        std::ifstream in(folder + "/" + file, std::ios::binary | std::ios::ate);
        if (!in) throw std::runtime_error("cannot read " + file);
        Numbers numbers(size_t(in.tellg()) / 4);
        in.seekg(0);
        in.read(reinterpret_cast<char *>(numbers.data()), long(numbers.size() * 4));
        return numbers;
    }
    void write(const std::string &what, const Numbers &numbers) const {
        std::ofstream out(folder + "/" + name + "." + what, std::ios::binary);
        out.write(reinterpret_cast<const char *>(numbers.data()), long(numbers.size() * 4));
    }
    // oneDNN's gate g is PyTorch's gate order()[g]: i f c o is i f g o, but u r o is r z n with the first two swapped.
    std::vector<long> order() const {
        if (cell == "lstm") return {0, 1, 2, 3};
        if (cell == "gru") return {1, 0, 2};
        return {0};
    }
};

static engine &cpu() {
    static engine e(engine::kind::cpu, 0);
    return e;
}

static void put(memory &m, const Numbers &numbers) {
    float *to = m.map_data<float>();
    std::memcpy(to, numbers.data(), numbers.size() * 4);
    m.unmap_data(to);
}
static Numbers get(memory &m, size_t count) {
    float *from = m.map_data<float>();
    Numbers numbers(from, from + count);
    m.unmap_data(from);
    return numbers;
}
static void zero(memory &m) {
    float *to = m.map_data<float>();
    std::memset(to, 0, m.get_desc().get_size());
    m.unmap_data(to);
}

static memory::desc shape(memory::dims dims, tag format) {
    return memory::desc(std::move(dims), memory::data_type::f32, format);
}

// A weight `[gates H, cols]` in PyTorch's order as ldigo `[1, 1, cols, gates, H]`, and back.
static Numbers to_ldigo(const Work &w, const Numbers &from, long cols) {
    Numbers to(from.size());
    auto order = w.order();
    for (long g = 0; g < w.gates(); g++)
        for (long i = 0; i < w.hidden; i++)
            for (long j = 0; j < cols; j++)
                to[size_t((j * w.gates() + g) * w.hidden + i)] = from[size_t((order[size_t(g)] * w.hidden + i) * cols + j)];
    return to;
}
static Numbers from_ldigo(const Work &w, const Numbers &from, long cols) {
    Numbers to(from.size());
    auto order = w.order();
    for (long g = 0; g < w.gates(); g++)
        for (long i = 0; i < w.hidden; i++)
            for (long j = 0; j < cols; j++)
                to[size_t((order[size_t(g)] * w.hidden + i) * cols + j)] = from[size_t((j * w.gates() + g) * w.hidden + i)];
    return to;
}
// One bias for a gate, but the GRU's last gate has two: that of the input, then that of the state.
static Numbers join_bias(const Work &w) {
    Numbers ih = w.read("b_ih"), hh = w.read("b_hh"), to;
    long h = w.hidden;
    auto order = w.order();
    for (size_t g = 0; g < order.size(); g++) {
        bool apart = w.cell == "gru" && g == 2;
        for (long i = 0; i < h; i++) to.push_back(ih[size_t(order[g] * h + i)] + (apart ? 0.f : hh[size_t(order[g] * h + i)]));
    }
    if (w.cell == "gru")
        for (long i = 0; i < h; i++) to.push_back(hh[size_t(2 * h + i)]);
    return to;
}

// Forward and, for training, backward, with everything they read and write.
struct Net {
    Work w;
    stream run{cpu()};
    memory::desc src, iter, weights_layer, weights_iter, back_layer, back_iter, bias, dst;
    primitive forward, backward;
    memory user_layer, user_iter, user_bias, y, d_y, d_layer, d_iter, d_bias;
    std::vector<Args> forward_args;
    Args backward_args;
    std::string names;

    Net(const Work &work, bool any) : w(work) {
        long g = w.gates(), h = w.hidden, t = w.stream() ? 1 : w.steps, b = w.batch, biases = g + (w.cell == "gru");
        src = shape({t, b, w.input}, tag::tnc);
        dst = shape({t, b, h}, tag::tnc);
        iter = shape({1, 1, b, h}, tag::ldnc);
        weights_layer = shape({1, 1, w.input, g, h}, any ? tag::any : tag::ldigo);
        weights_iter = shape({1, 1, h, g, h}, any ? tag::any : tag::ldigo);
        // Backward reads them the other way round.
        back_layer = shape({1, 1, w.input, g, h}, any ? tag::any : tag::ldgoi);
        back_iter = shape({1, 1, h, g, h}, any ? tag::any : tag::ldgoi);
        bias = shape({1, 1, biases, h}, tag::ldgo);
        user_layer = memory(shape({1, 1, w.input, g, h}, tag::ldigo), cpu());
        user_iter = memory(shape({1, 1, h, g, h}, tag::ldigo), cpu());
        user_bias = memory(bias, cpu());
        put(user_layer, to_ldigo(w, w.read("w_ih"), w.input));
        put(user_iter, to_ldigo(w, w.read("w_hh"), h));
        put(user_bias, join_bias(w));
        auto kind = w.mode == "train" ? prop_kind::forward_training : prop_kind::forward_inference;
        auto way = rnn_direction::unidirectional_left2right;
        memory::desc after = w.stream() ? iter : memory::desc();
        if (w.cell == "lstm")
            lstm(kind, way, after);
        else if (w.cell == "gru")
            build<lbr_gru_forward, lbr_gru_backward>(lbr_gru_forward::primitive_desc(cpu(), kind, way, src, iter,
                weights_layer, weights_iter, bias, dst, after), [&](const auto &hint) {
                return lbr_gru_backward::primitive_desc(cpu(), prop_kind::backward, way, src, iter, back_layer,
                    back_iter, bias, dst, after, src, iter, plain_layer(), plain_iter(), bias, dst, after, hint);
            });
        else
            build<vanilla_rnn_forward, vanilla_rnn_backward>(vanilla_rnn_forward::primitive_desc(cpu(), kind,
                algorithm::eltwise_tanh, way, src, iter, weights_layer, weights_iter, bias, dst, after),
                [&](const auto &hint) {
                    return vanilla_rnn_backward::primitive_desc(cpu(), prop_kind::backward, algorithm::eltwise_tanh, way,
                        src, iter, back_layer, back_iter, bias, dst, after, src, iter, plain_layer(), plain_iter(),
                        bias, dst, after, hint);
                });
    }
    memory::desc plain_layer() const { return user_layer.get_desc(); }
    memory::desc plain_iter() const { return user_iter.get_desc(); }

    void lstm(prop_kind kind, rnn_direction way, const memory::desc &after) {
        build<lstm_forward, lstm_backward>(lstm_forward::primitive_desc(cpu(), kind, way, src, iter, iter, weights_layer,
            weights_iter, bias, dst, after, after), [&](const auto &hint) {
            return lstm_backward::primitive_desc(cpu(), prop_kind::backward, way, src, iter, iter, back_layer,
                back_iter, bias, dst, after, after, src, iter, iter, plain_layer(), plain_iter(), bias, dst, after,
                after, hint);
        });
    }

    memory reordered(memory &user, const memory::desc &as) {
        if (as == user.get_desc()) return user;
        memory to(as, cpu());
        reorder(user, to).execute(run, user, to);
        run.wait();
        return to;
    }

    template <typename Forward, typename Backward, typename Describe>
    void build(const typename Forward::primitive_desc &pd, Describe describe) {
        bool lstm = w.cell == "lstm";
        names = pd.impl_info_str();
        forward = Forward(pd);
        Args args;
        args.insert({DNNL_ARG_WEIGHTS_LAYER, reordered(user_layer, pd.weights_layer_desc())});
        args.insert({DNNL_ARG_WEIGHTS_ITER, reordered(user_iter, pd.weights_iter_desc())});
        args.insert({DNNL_ARG_BIAS, user_bias});
        y = memory(dst, cpu());
        args.insert({DNNL_ARG_DST_LAYER, y});
        Numbers x = w.read("x");
        memory h[2] = {memory(iter, cpu()), memory(iter, cpu())}, c[2] = {memory(iter, cpu()), memory(iter, cpu())};
        for (auto &m : h) zero(m);
        for (auto &m : c) zero(m);
        size_t each = x.size() / (w.stream() ? 64 : 1);
        for (size_t at = 0; at < x.size(); at += each) {
            size_t turn = at / each % 2;
            Args step = args;
            memory in(src, cpu());
            put(in, Numbers(x.begin() + long(at), x.begin() + long(at + each)));
            step.insert({DNNL_ARG_SRC_LAYER, in});
            step.insert({DNNL_ARG_SRC_ITER, h[turn]});
            if (lstm) step.insert({DNNL_ARG_SRC_ITER_C, c[turn]});
            if (w.stream()) {
                step.insert({DNNL_ARG_DST_ITER, h[1 - turn]});
                if (lstm) step.insert({DNNL_ARG_DST_ITER_C, c[1 - turn]});
            }
            forward_args.push_back(step);
        }
        if (w.mode != "train") return;
        memory workspace(pd.workspace_desc(), cpu());
        forward_args[0].insert({DNNL_ARG_WORKSPACE, workspace});
        auto back = describe(pd);
        names += std::string(" ") + back.impl_info_str();
        backward = Backward(back);
        d_y = memory(dst, cpu());
        d_layer = memory(plain_layer(), cpu());
        d_iter = memory(plain_iter(), cpu());
        d_bias = memory(bias, cpu());
        backward_args = forward_args[0];
        backward_args.erase(DNNL_ARG_WEIGHTS_LAYER);
        backward_args.erase(DNNL_ARG_WEIGHTS_ITER);
        backward_args.insert({DNNL_ARG_WEIGHTS_LAYER, reordered(user_layer, back.weights_layer_desc())});
        backward_args.insert({DNNL_ARG_WEIGHTS_ITER, reordered(user_iter, back.weights_iter_desc())});
        backward_args.insert({DNNL_ARG_DIFF_DST_LAYER, d_y});
        backward_args.insert({DNNL_ARG_DIFF_SRC_LAYER, memory(src, cpu())});
        backward_args.insert({DNNL_ARG_DIFF_SRC_ITER, memory(iter, cpu())});
        if (lstm) backward_args.insert({DNNL_ARG_DIFF_SRC_ITER_C, memory(iter, cpu())});
        backward_args.insert({DNNL_ARG_DIFF_WEIGHTS_LAYER, d_layer});
        backward_args.insert({DNNL_ARG_DIFF_WEIGHTS_ITER, d_iter});
        backward_args.insert({DNNL_ARG_DIFF_BIAS, d_bias});
    }

    // One repetition; how many steps it was.
    size_t once() {
        for (auto &args : forward_args) {
            forward.execute(run, args);
            run.wait();
        }
        if (w.mode != "train") return w.stream() ? forward_args.size() : 1;
        size_t n = size_t(w.steps * w.batch * w.hidden);
        float *from = y.map_data<float>(), *to = d_y.map_data<float>();
        float scale = 2.f / float(n);
        for (size_t i = 0; i < n; i++) to[i] = scale * from[i];
        y.unmap_data(from);
        d_y.unmap_data(to);
        // It adds to what is there.
        zero(d_layer);
        zero(d_iter);
        zero(d_bias);
        backward.execute(run, backward_args);
        run.wait();
        return 1;
    }

    void write() {
        size_t h = size_t(w.hidden), g = size_t(w.gates());
        Numbers all;
        if (w.stream()) {
            for (auto &args : forward_args) {
                forward.execute(run, args);
                run.wait();
                Numbers step = get(y, h);
                all.insert(all.end(), step.begin(), step.end());
            }
            zero(forward_args[0].at(DNNL_ARG_SRC_ITER));
            if (w.cell == "lstm") zero(forward_args[0].at(DNNL_ARG_SRC_ITER_C));
        } else {
            once();
            all = get(y, size_t(w.steps * w.batch) * h);
        }
        w.write("y", all);
        if (w.mode != "train") return;
        w.write("w_ih", from_ldigo(w, get(d_layer, size_t(w.input) * g * h), w.input));
        w.write("w_hh", from_ldigo(w, get(d_iter, h * g * h), w.hidden));
        Numbers d = get(d_bias, (g + (w.cell == "gru")) * h), ih(g * h), hh(g * h);
        auto order = w.order();
        for (size_t k = 0; k < g; k++)
            for (size_t i = 0; i < h; i++) {
                ih[size_t(order[k]) * h + i] = d[k * h + i];
                hh[size_t(order[k]) * h + i] = d[(w.cell == "gru" && k == 2 ? 3 : k) * h + i];
            }
        w.write("b_ih", ih);
        w.write("b_hh", hh);
    }
};

int main() {
    std::unique_ptr<Net> net;
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string verb;
        words >> verb;
        if (verb == "load") {
            Work w;
            words >> w.folder >> w.name >> w.cell >> w.mode >> w.threads >> w.input >> w.hidden >> w.batch >> w.steps;
            try {
                net.reset();
                double best = 0;
                for (bool any : {true, false}) {
                    auto made = std::make_unique<Net>(w, any);
                    made->write();
                    double least = 1e9;
                    for (int i = 0; i < 3; i++) {
                        double begun = now();
                        made->once();
                        least = std::min(least, now() - begun);
                    }
                    if (!net || least < best) {
                        best = least;
                        net = std::move(made);
                        net->names += any ? " any" : " plain";
                    }
                }
                auto v = dnnl_version();
                std::cout << "ok " << v->major << '.' << v->minor << ' ' << net->names << std::endl;
            } catch (const std::exception &e) {
                std::cout << "no " << e.what() << std::endl;
            }
        } else if (verb == "time") {
            double seconds = 0, begun = now();
            words >> seconds;
            do {
                double clock = now();
                size_t parts = net->once();
                std::cout << (now() - clock) / double(parts) << ' ';
            } while (now() - begun < seconds);
            std::cout << std::endl;
        }
    }
}
