"""The same network in Keras, for comparison: same features, initialisers, loss, optimiser, batch size and epochs.

    python3 -m venv venv && venv/bin/pip install tensorflow-cpu
    venv/bin/python examples/spoken-digits/keras_digits.py [--seeds 0 1 2 3 4]

What is left different: Keras shuffles uniformly and pads every batch to the longest recording, and adds Adam's epsilon
before the bias correction, Frond after (Kingma & Ba, algorithm 1).
"""

import argparse
import os
import pathlib
import statistics

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from keras import ops

FOLDER = pathlib.Path(__file__).parent
UNITS, CLASSES, BATCH, EPOCHS = 128, 10, 32, 5


def load(name):
    with np.load(FOLDER / f"{name}.npz") as file:
        return file["x"].astype("float32"), file["x.length"].astype("int32"), file["y"].astype("int32")


class Digits(keras.Model):
    """Loss as `mean[t](crossEntropy(..))`: each example's mean over its own steps, then the mean over the batch."""

    def __init__(self):
        super().__init__()
        self.lstm = keras.layers.LSTM(UNITS, return_sequences=True, unit_forget_bias=True)
        self.dense = keras.layers.Dense(CLASSES)

    def call(self, inputs):
        x, length = inputs
        mask = ops.arange(ops.shape(x)[1])[None, :] < length[:, None]
        return self.dense(self.lstm(x, mask=mask))  # logits; the softmax is in the loss

    def train_step(self, data):
        (x, length), y = data
        mask = ops.arange(ops.shape(x)[1])[None, :] < length[:, None]
        weight = ops.cast(mask, "float32") / ops.cast(length, "float32")[:, None]
        with tf.GradientTape() as tape:
            logits = self((x, length), training=True)
            entropy = ops.sparse_categorical_crossentropy(y, logits, from_logits=True)
            loss = ops.mean(ops.sum(entropy * weight, axis=1))
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return {"loss": loss}


def last_step_accuracy(seed, train, test):
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    model = Digits()
    x, length, y = train
    model((x[:1], length[:1]))  # makes the weights
    model.compile(optimizer=keras.optimizers.Adam(3e-3, epsilon=1e-7, global_clipnorm=1.0))
    model.fit((x, length), y, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    x, length, y = test
    guess = np.argmax(np.asarray(model((x, length), training=False)), axis=-1)
    rows = np.arange(len(x))
    return float((guess[rows, length - 1] == y[rows, length - 1]).mean())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    seeds = parser.parse_args().seeds
    train, test = load("train"), load("test")
    values = []
    for seed in seeds:
        values.append(100 * last_step_accuracy(seed, train, test))
        print(f"seed {seed}: last-step accuracy {values[-1]:.1f} %", flush=True)
    spread = statistics.stdev(values) if len(values) > 1 else 0
    print(f"Keras {keras.__version__}: mean {statistics.mean(values):.1f} %, standard deviation {spread:.1f}")


main()
