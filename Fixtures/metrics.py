"""How far predicted frames are from true ones, by scikit-image in float64."""

import numpy as np
import skimage
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from cells import Guard

MOVING = 0.03  # a channel's difference from the last frame given, beyond which a pixel moves


class VideoMetrics:
    @staticmethod
    def made_by():
        return f"scikit-image {skimage.__version__}, float64"

    @staticmethod
    def draw(config, source, channels, height, width):
        """A frame of steps and a ramp that goes on by a pixel, and a prediction that is off by noise; or bytes."""
        shape = (channels, height, width + 1)
        levels = source.integers((channels, (height + 2) // 3, (width + 4) // 4), 9).double() / 8
        scene = levels.repeat_interleave(3, 1).repeat_interleave(4, 2)[:, :shape[1], :shape[2]]
        scene = 0.75 * scene + 0.25 * torch.linspace(0, 1, shape[2], dtype=torch.float64)
        target, context = scene[:, :, 1:], scene[:, :, :-1]
        predicted = (target + source.normal(target.shape, 0.1)).clamp(0, 1)
        tensors = {"predicted": predicted, "target": target, "context": context}
        if config["range"] == 255:
            return {name: (255 * tensor).round() for name, tensor in tensors.items()}
        return {name: tensor.float().double() for name, tensor in tensors.items()}

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        x, y, context = (given[name].numpy() for name in ("predicted", "target", "context"))
        options = {"gaussian_weights": True, "sigma": 1.5} if config["window"] == "gaussian" else {"win_size": 7}
        data_range = config["range"]
        moving = np.broadcast_to((np.abs(y - context) > MOVING).any(0), y.shape)
        found = {
            "squared_error": ((x - y) ** 2).sum(),
            "psnr": peak_signal_noise_ratio(y, x, data_range=data_range),
            "moving_psnr": peak_signal_noise_ratio(y[moving], x[moving], data_range=1),
            "ssim": structural_similarity(x, y, data_range=data_range, channel_axis=0,
                                          use_sample_covariance=config["sample"], **options),
        }
        return {name: torch.tensor(float(value), dtype=torch.float64) for name, value in found.items()}


KINDS = {"video_metrics": VideoMetrics}
