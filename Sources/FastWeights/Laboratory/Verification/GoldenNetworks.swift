/// Runs the golden cases of the parts beside the layers.
extension Fixture {
    func checkLayerNorm(_ tally: inout ErrorTally) throws {
        let shape = try shape("input", [nil, nil])
        let (count, rows) = (shape[0], shape[1])
        let epsilon = Float(try ConfigurationReader(json: configuration, owner: "layer norm").number("epsilon"))
        let (gain, bias) = (Buffer(try floats("weight", count: rows)), Buffer(try floats("bias", count: rows)))
        let (dGain, dBias) = (Buffer<Float>(rows), Buffer<Float>(rows))
        let arena = Arena()
        let lane = arena.laneGradients(rows: rows)
        let z = arena.panels(1, rows: rows)[0]
        let dz = arena.panels(1, rows: rows)[0]
        let (input, cotangent) = (try floats("input"), try floats("cotangent.output", count: count * rows))
        var output = [Float](repeating: 0, count: count * rows)
        var gradient = output
        for first in stride(from: 0, to: count, by: Lanes.width) {
            let lanes = min(Lanes.width, count - first)
            lane.clear(rows: rows)
            z.update(repeating: .zero, count: rows)
            dz.update(repeating: .zero, count: rows)
            for l in 0..<lanes {
                for r in 0..<rows {
                    z[r][l] = input[(first + l) * rows + r]
                    dz[r][l] = cotangent[(first + l) * rows + r]
                }
            }
            let scale = normalize(z, rows: rows, epsilon: epsilon)
            normalizeBackward(dz, z, scale, rows: rows, gain: gain.pointer, lane)
            lane.add(rows: rows, toGain: dGain.pointer, bias: dBias.pointer)
            for l in 0..<lanes {
                for r in 0..<rows {
                    output[(first + l) * rows + r] = z[r][l] * gain.pointer[r] + bias.pointer[r]
                    gradient[(first + l) * rows + r] = dz[r][l]
                }
            }
        }
        tally.output("output", output, try doubles("output"))
        tally.gradient("gradient.input", gradient, try doubles("gradient.input"))
        tally.gradient("gradient.weight", dGain.array, try doubles("gradient.weight"))
        tally.gradient("gradient.bias", dBias.array, try doubles("gradient.bias"))
    }

    func checkBound(_ tally: inout ErrorTally) throws {
        let shape = try shape("input", [nil, nil])
        let (count, rows) = (shape[0], shape[1])
        let (input, cotangent) = (try floats("input"), try floats("cotangent.output", count: count * rows))
        let arena = Arena()
        let (y, d, scales) = (
            arena.panels(1, rows: rows)[0], arena.panels(1, rows: rows)[0], arena.panels(1, rows: rows / 2)[0]
        )
        var (output, gradient) = (input, input)
        for first in stride(from: 0, to: count, by: Lanes.width) {
            let lanes = min(Lanes.width, count - first)
            for l in 0..<lanes {
                for r in 0..<rows {
                    y[r][l] = input[(first + l) * rows + r]
                    d[r][l] = cotangent[(first + l) * rows + r]
                }
            }
            applyBound(y, count: rows / 2, scales: scales)
            applyBoundBackward(d, y, count: rows / 2, scales: scales, into: d)
            for l in 0..<lanes {
                for r in 0..<rows {
                    output[(first + l) * rows + r] = y[r][l]
                    gradient[(first + l) * rows + r] = d[r][l]
                }
            }
        }
        tally.output("output", output, try doubles("output"))
        tally.gradient("gradient.input", gradient, try doubles("gradient.input"))
    }

    func checkSoftmax(_ tally: inout ErrorTally) throws {
        let shape = try shape("logits", [nil, nil])
        let (count, classes) = (shape[0], shape[1])
        let logits = try floats("logits")
        let targets = Buffer(
            try integers("targets", count: count, in: 0..<min(classes, 1 << 8)).map { UInt8($0) })
        let arena = Arena()
        let panel = arena.panels(1, rows: classes)[0]
        var probabilities = [Float](repeating: 0, count: count * classes)
        var logs = probabilities
        var gradient = probabilities
        var loss = 0.0
        for first in stride(from: 0, to: count, by: Lanes.width) {
            let lanes = min(Lanes.width, count - first)
            func load() {
                panel.update(repeating: .zero, count: classes)
                for l in 0..<lanes { for c in 0..<classes { panel[c][l] = logits[(first + l) * classes + c] } }
            }
            load()
            let scale = softmax(panel, classes: classes)
            let logarithms = scale.logarithm
            for l in 0..<lanes {
                for c in 0..<classes {
                    let i = (first + l) * classes + c
                    probabilities[i] = panel[c][l]
                    logs[i] = (logits[i] - scale.largest[l]) - logarithms[l]
                }
            }
            load()
            loss +=
                crossEntropy(
                    panel, classes: classes, targets: targets.pointer + first, count: lanes, scale: 1 / Float(count)
                ).loss
            for l in 0..<lanes { for c in 0..<classes { gradient[(first + l) * classes + c] = panel[c][l] } }
        }
        tally.output("probabilities", probabilities, try doubles("probabilities"))
        tally.output("log_probabilities", logs, try doubles("log_probabilities"))
        tally.output("loss", [Float(loss / Double(count))], try doubles("loss"))
        tally.gradient("gradient.logits", gradient, try doubles("gradient.logits"))
    }

    func checkClip(_ tally: inout ErrorTally) throws {
        let limit = Float(try ConfigurationReader(json: configuration, owner: "clip").number("max_norm"))
        guard limit > 0 else { throw FixtureError(name, "max_norm should be above 0, found \(limit)") }
        var layout = Parameters.Layout()
        layout.append("gradient", try shape("gradient", [nil])[0])
        let gradient = Parameters(layout)
        gradient["gradient"] = try floats("gradient")
        tally.output("norm", [gradient.clip(toNorm: limit)], try doubles("norm"))
        tally.gradient("clipped", gradient["gradient"], try doubles("clipped"))
    }
}

extension OptimizerRule {
    /// The rule in a golden case's configuration.
    init(_ settings: ConfigurationReader) throws(ConfigurationError) {
        func float(_ key: String, _ fallback: Double? = nil) throws(ConfigurationError) -> Float {
            Float(try settings.number(key, default: fallback))
        }
        switch try settings.text("name") {
        case "adam":
            self = .adam(
                beta1: try float("beta1"), beta2: try float("beta2"), epsilon: try float("epsilon"),
                weightDecay: try settings.number("decay", default: 0),
                isAMSGrad: try settings.flag("amsgrad", default: false)
            )
        case "sgd":
            self = .sgd(
                momentum: try float("momentum"), dampening: try float("dampening", 0),
                isNesterov: try settings.flag("nesterov", default: false), l2: try float("l2", 0))
        case "rmsprop":
            self = .rmsProp(
                alpha: try float("alpha"), epsilon: try float("epsilon"), momentum: try float("momentum", 0),
                isCentered: try settings.flag("centered", default: false), l2: try float("l2", 0))
        case let name: throw ConfigurationError(description: "expected adam, sgd or rmsprop, found \"\(name)\"")
        }
        if let problem { throw ConfigurationError(description: problem) }
    }
}
