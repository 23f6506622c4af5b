#!/bin/sh
# Training on a folder of pictures, classifying one, and what is refused.
# Needs LAB and ROOT.
# shellcheck disable=SC2015,SC2154,SC2317 # `a && b || c` is meant; names of sentences.sh; called by name
. "$ROOT/tests/driver/sentences.sh"

cnn() { run "$LAB" run cnn --plot none --threads 1 --out results "$@"; }
train() { cnn --data generated --limit 200 --epochs 2 --part train "$@"; }

# Pictures of two classes, bars and squares, white on black; page.png is a bar, dark on a light page.
pictures() {
    needs python3
    python3 - <<'EOF'
import os, struct, sys, zlib
def png(path, side, pixel):
    rows = b"".join(b"\0" + bytes(pixel(x, y) for x in range(side)) for y in range(side))
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    open(path, "wb").write(b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
def bar(i):
    return lambda x, y: 255 if 10 + i % 5 <= x < 14 + i % 5 and 4 <= y < 24 else 0
def square(i):
    return lambda x, y: 255 if 5 + i % 5 <= x < 19 + i % 5 and 6 <= y < 20 else 0
for name, shape in (("upright bar", bar), ("square", square)):
    os.makedirs("my pictures/" + name)
    for i in range(20):
        png("my pictures/%s/%d.png" % (name, i), 28, shape(i))
dark = bar(2)
png("page.png", 280, lambda x, y: 30 if dark(x // 10, y // 10) else 220)
png("flat.png", 28, lambda x, y: 7)
png("faint.png", 28, lambda x, y: 30 if dark(x, y) else 10)
EOF
}

a_folder_for_each_class_is_trained_on_and_answers_with_its_name() { # test
    pictures
    cnn --images 'my pictures' --epochs 10 --part train,errors
    gave 0
    says out 'Training set: 32 images, test set: 8 images, 2 classes: PNGs of 2 classes in my pictures'
    says out 'Test accuracy: 100.00 %'
    cp results/metrics.jsonl before
    cnn --classify page.png
    gave 0
    says out 'page.png, 280 x 280 pixels: inverted, since its ink is darker than its background'
    says out 'lenet takes it for: upright bar'
    [ -s results/classified.png ] || complain "no picture of what the network saw"
    cmp before results/metrics.jsonl || complain "the metrics of the training are gone"
    for name in flat faint; do
        cnn --classify $name.png
        gave 1
        says err "$name.png: is of one gray, or nearly"
    done
    # A model from elsewhere does not write to the terminal.
    sed 's/upright bar/\\u001bt bar/' results/model.safetensors >escape.safetensors
    cnn --classify page.png --model escape.safetensors
    gave 0
    says out 'lenet takes it for: ?t bar'
}

a_picture_that_cannot_be_read_is_refused_by_name() { # test
    pictures
    echo text >'my pictures/square/note.png'
    cnn --images 'my pictures'
    gave 1
    says err 'my pictures/square/note.png: is not a PNG'
    cnn --images nowhere
    gave 1
    says err 'nowhere: cannot be read: No such file or directory'
}

classifying_needs_a_model_and_a_picture() { # test
    cnn --classify nowhere.png
    gave 1
    says err 'results/model.safetensors: there is no model yet; ./lab run cnn trains one'
    train
    gave 0
    cnn --classify nowhere.png
    gave 1
    says err 'nowhere.png: cannot be read: No such file or directory'
    cnn --classify "$ROOT/README.md"
    gave 1
    says err 'README.md: is not a PNG'
    cnn --model results/model.safetensors
    gave 2
    says err '--model results/model.safetensors: expected --classify FILE with it'
    cnn --model "$(printf 'a\033[31m')"
    gave 2
    says err '--model a?[31m: expected'
}

a_model_of_another_kind_or_of_nan_is_refused() { # test
    pictures
    train
    cnn --classify page.png --model results/checkpoint.safetensors
    gave 1
    says err 'checkpoint.safetensors: is not a model of this lab'
    cnn --classify page.png --model page.png
    gave 1
    says err 'page.png'
    # Of another shape, and a NaN as the last number.
    sed 's/"net":"lenet"/"net":"other"/' results/model.safetensors >other.safetensors
    cnn --classify page.png --model other.safetensors
    gave 1
    says err 'other.safetensors: is not a model of this lab'
    sed 's/"classes":"0\\n1/"classes":"012/' results/model.safetensors >shape.safetensors
    cmp -s results/model.safetensors shape.safetensors && complain "the metadata are written otherwise"
    cnn --classify page.png --model shape.safetensors
    gave 1
    says err 'shape.safetensors'
    sed 's/"box":"../"box":"1x/' results/model.safetensors >box.safetensors
    cnn --classify page.png --model box.safetensors
    gave 1
    says err 'box 1x; expected 0 to 1 and 0 to 28'
    size=$(wc -c <results/model.safetensors)
    cp results/model.safetensors nan.safetensors
    printf '\000\000\300\177' | dd of=nan.safetensors bs=1 seek=$((size - 4)) conv=notrunc 2>/dev/null
    cnn --classify page.png --model nan.safetensors
    gave 1
    says err 'holds a number that is not finite'
}

a_last_batch_of_one_image_is_trained_on() { # test
    cnn --data generated --net resnet --limit 101 --batch 10 --epochs 1 --part train
    gave 0
    says out 'Training set: 101 images'
    says out ' 1 epoch in '
    pictures
    cnn --classify page.png
    gave 0
    never_says out nan
}

a_stopped_training_goes_on_to_the_same_bits() { # test
    env --default-signal=INT true 2>/dev/null || skip "env without --default-signal" "coreutils 8.31 or newer"
    set -- --data generated --limit 2000 --epochs 4 --part train --plot none --threads 1 --augment --dropout 0.3
    run "$LAB" run cnn "$@" --out whole
    gave 0
    env --default-signal=INT "$LAB" run cnn "$@" --out parts >out 2>err &
    for _ in $(seq 600); do
        sleep 0.1
        [ ! -s parts/checkpoint.safetensors ] || break
    done
    kill -INT $! 2>/dev/null || true
    wait $! || true
    run "$LAB" run cnn "$@" --out parts --resume parts/checkpoint.safetensors
    gave 0
    for file in model.safetensors metrics.jsonl checkpoint.safetensors; do
        cmp whole/$file parts/$file || complain "$file differs"
    done
}

the_exercises_layers_train_as_the_kernels_do() { # test
    train
    by_kernels=$(grep 'Test accuracy: ' out)
    train --layers exercises
    gave 0
    says out "layers by the exercises' functions"
    says out "$by_kernels"
}

mine_trains_on_the_learners_functions() { # test
    run "$LAB" start cnn
    gave 0
    cnn --mine --data generated --limit 100 --epochs 1 --part train
    gave 1
    says err 'output_size is not written yet'
    cp "$ROOT/labs/2_core/cnn/cnn.c" mine/cnn/cnn.c
    cnn --mine --data generated --limit 100 --epochs 1 --part train
    gave 0
    says out "layers by the exercises' functions"
}

wrong_options_are_refused() { # test
    for words in '--net vgg' '--epochs 0' '--dropout 1' '--limit -1' '--layers mine' '--rate 0' '--batch 0'; do
        # shellcheck disable=SC2086 # two words
        cnn $words
        gave 2
    done
    cnn --images a --data b
    gave 2
    says err '--images and --data: expected one of them'
    cnn --data nowhere
    gave 1
    says err 'nowhere: there is no such folder and no such data set (./lab data get nowhere)'
}

run_sentence "$@"
