"""Episodes of Catch that were played: the outputs of an agent, and its actor-critic loss with every gradient."""

import torch

import stacks
from cells import Guard
from kinds import gradients, leaves, named, under

ACTIONS = 3
PADDLE = 2


class Episodes:
    """One recurrent layer over blanked screens; on top three logits and a value."""

    @staticmethod
    def draw(config, source, episodes):
        hidden, size = config["cell"]["hidden"], config["size"]
        given = {}
        for name, shape in stacks.parameter_shapes(config).items():
            is_norm = name.startswith("norm")
            given[f"parameter.{name}"] = source.uniform(
                shape, 0.3 if is_norm else hidden ** -0.5, 1.0 if is_norm and "weight" in name else 0.0)
        given["parameter.head.weight"] = source.uniform((ACTIONS + 1, hidden), 1.0)
        given["parameter.head.bias"] = source.uniform((ACTIONS + 1,), 1.0)
        given["columns"] = source.integers((episodes,), size)
        given["paddles"] = source.integers((episodes,), size - PADDLE + 1)
        given["actions"] = source.integers((episodes, size - 1), ACTIONS)
        return given

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        p = leaves(under("parameter", given), dtype)
        screens, rewards = play(config, given)
        steps, count, _ = screens.shape
        state = {name: torch.zeros(shape, dtype=dtype) for name, shape in stacks.state_shapes(config, count).items()}
        h, _ = stacks.run(config, p, screens.to(dtype), [steps] * count, state, guard)
        output = h @ p["head.weight"].T + p["head.bias"]  # [T, B, 4]
        logs = output[..., :ACTIONS].log_softmax(-1)
        value = output[..., ACTIONS]
        returns = torch.stack([config["discount"] ** (steps - 1 - t) * rewards for t in range(steps)]).to(dtype)
        advantage = returns - value
        chosen = logs.gather(-1, given["actions"].T.unsqueeze(-1)).squeeze(-1)
        policy = -(chosen * advantage.detach()).sum()
        squares = advantage.square().sum() / 2
        entropy = -(logs.exp() * logs).sum()
        loss = (policy + config["value_weight"] * squares - config["entropy_weight"] * entropy) / (steps * count)
        loss.backward()
        terms = {"policy": policy, "value": squares, "entropy": entropy, "loss": loss}
        return {"output": output, "rewards": rewards} | terms | named("gradient", gradients(p))


def play(config, given):
    """What was seen, [T, B, N²], and the rewards."""
    size = config["size"]
    columns, actions = given["columns"].tolist(), given["actions"].tolist()
    screens = torch.zeros(size - 1, len(columns), size, size, dtype=torch.float64)
    rewards = []
    for b, left in enumerate(given["paddles"].tolist()):
        for frame in range(size - 1):
            if frame < config["visible_frames"]:
                screens[frame, b, frame, columns[b]] = 1
                screens[frame, b, -1, left:left + PADDLE] = 1
            left = min(max(left + actions[b][frame] - 1, 0), size - PADDLE)
        rewards.append(1.0 if left <= columns[b] < left + PADDLE else -1.0)
    return screens.flatten(2), torch.tensor(rewards, dtype=torch.float64)


KINDS = {"episodes": Episodes}
