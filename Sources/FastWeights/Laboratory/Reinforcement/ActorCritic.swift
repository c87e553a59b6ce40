/// What the terms of an actor-critic loss count. With π the policy, V the value, and R(t) = γ^(T-1-t) r the return of
/// decision t of an episode of T decisions whose only reward r comes at its end, the loss is the mean over episodes and
/// decisions of
///
///     -log π(a)·(R - V) + c_V·½(R - V)² - c_H·H(π)
///
/// where R - V in the first term, the advantage, is a constant for the gradient (Mnih et al. 2016, arXiv 1602.01783), and
/// H(π) = -Σ π log π.
struct ActorCriticWeights: Sendable, Equatable {
    /// γ.
    var discount: Float = 1
    /// c_V.
    var value: Float = 0.5
    /// c_H.
    var entropy: Float = 0.01
}

/// Sums of the terms of the loss over episodes and decisions.
struct ActorCriticLoss: Equatable {
    /// Σ -log π(a)·(R - V).
    var policy = 0.0
    /// Σ ½(R - V)².
    var value = 0.0
    /// Σ H(π), in nats.
    var entropy = 0.0

    static func += (a: inout ActorCriticLoss, b: ActorCriticLoss) {
        a.policy += b.policy
        a.value += b.value
        a.entropy += b.entropy
    }

    /// The loss over `terms` decisions of episodes.
    func mean(_ weights: ActorCriticWeights, terms: Int) -> Double {
        (policy + Double(weights.value) * value - Double(weights.entropy) * entropy) / Double(terms)
    }
}

/// The terms of one decision of sixteen episodes. In: y, the logits of `actions` actions and behind them V; what was chosen;
/// R. Out: in y the gradient of scale·Σ loss, with a scale a lane, 0 where a lane is empty; such a lane does not count.
///
/// With log p the log-softmax: dz_k = scale·[(R - V)(p_k - [k = a]) + c_H p_k (log p_k + H)], dV = scale·c_V (V - R).
func actorCriticLoss(
    _ y: Panel, actions: Int, chosen: UnsafePointer<UInt8>, returns: Lanes, scale: Lanes, _ weights: ActorCriticWeights
) -> ActorCriticLoss {
    withUnsafeTemporaryAllocation(of: Lanes.self, capacity: actions) { logs in
        let counts = Lanes.zero.replacing(with: 1, where: scale .> 0)
        for k in 0..<actions { logs[k] = y[k] }
        let softmaxScale = softmax(y, classes: actions)
        let logarithm = softmaxScale.logarithm
        var entropy = Lanes.zero
        for k in 0..<actions {
            logs[k] = (logs[k] - softmaxScale.largest) - logarithm
            entropy -= y[k] * logs[k]
        }
        let advantage = returns - y[actions]
        var policy = Lanes.zero
        for k in 0..<actions {
            var isChosen = Lanes.zero
            for lane in 0..<Lanes.width where Int(chosen[lane]) == k { isChosen[lane] = 1 }
            policy -= isChosen * logs[k] * advantage
            let ofPolicy = (y[k] - isChosen) * advantage
            y[k] = scale * ofPolicy.mad(y[k] * weights.entropy, logs[k] + entropy)
        }
        y[actions] = scale * (-weights.value) * advantage
        return ActorCriticLoss(
            policy: Double((policy * counts).laneSum), value: Double((advantage * advantage * counts).laneSum) / 2,
            entropy: Double((entropy * counts).laneSum))
    }
}
