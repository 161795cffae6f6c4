# Convolutional networks, number by number.
#
# This is an ordinary Python script in cells: open it as a notebook in VS Code, PyCharm, Spyder or
# Jupyter (with Jupytext), or run it with `python tour.py`. `convolens tour` runs it cell by cell
# and puts what each cell shows behind it, on one page.

# %% [markdown]
# A convolutional network looks at a picture through small windows, and it learns what to look for.
# This page walks from one window with hand-made weights to a trained classifier. Everything on it
# was computed while the page was made, by the lines of Python that you see, and you can change
# each of them.

# %% [markdown]
# ## A picture is numbers
#
# scikit-learn brings two sample pictures, a temple and a flower. A picture is an array of three
# dimensions, **height × width × channels**; the three channels are the amounts of red, green and
# blue, each from 0 to 255.

# %% The temple, and its red, green and blue values
import numpy as np

import convolens as cl

china = cl.load_image("china")
flower = cl.load_image("flower")
cl.plot_image(china, title="china")

# %% [markdown]
# Before anything else, look at the numbers themselves: shape, type, range, and how each channel is
# spread. Most mistakes with pictures are visible here.

# %%
cl.inspect_image(china)

# %% [markdown]
# Networks learn best from small numbers, so the values are divided by 255 and lie between 0 and 1.
# Both pictures have the same size, so they can be stacked: a batch has four dimensions,
# **pictures × height × width × channels**.

# %%
images = np.stack([cl.to_float(china), cl.to_float(flower)])
print("shape", images.shape, "from", images.min(), "to", images.max())

# %% [markdown]
# ## A filter is a small picture of weights
#
# A *filter* (or *kernel*) is a window of weights. It is laid on the picture, each weight is
# multiplied with the value under it, and the products are added up: one number. Then the window
# moves one pixel on. The numbers together make a new picture, the *feature map*.
#
# Here are two filters of 7 × 7. The first is zero but for a vertical line of ones in its middle:
# a neuron with these weights ignores everything in its *receptive field* but that line. The second
# is the same with a horizontal line.

# %% Two filters: a vertical and a horizontal line
vertical = cl.kernels.vertical_line(7)
horizontal = cl.kernels.horizontal_line(7)
filters = cl.kernels.stack([vertical, horizontal], channels=3)
print("filters:", filters.shape, "(height, width, channels, filters)")
cl.plot_filters(filters[:, :, :1], names=["vertical line", "horizontal line"])

# %% [markdown]
# Now lay the filters on both pictures. Two choices decide what comes out: the **stride** is the
# number of pixels that the window moves each time, and the **padding** says what happens at the
# border. With `"same"` zeros are added around the picture (as evenly as possible; an odd one goes
# to the bottom and the right), so that with stride 1 the map is as large as the picture.

# %% The horizontal-line filter on the temple: horizontal lines are enhanced, the rest is blurred
outputs = cl.conv2d(images, filters, strides=1, padding="same")
print("feature maps:", outputs.shape, "(pictures, height, width, filters)")
cl.plot_feature_maps(outputs[0, :, :, 1:], filter_names=["horizontal line"])

# %% [markdown]
# ### One number, worked out
#
# There is no magic in it. Here is how one value of a map comes about, with a line of 3 × 3 so that
# all of it can be shown: the window that the filter saw in each channel, the products, and their
# sum.

# %% The arithmetic of one value: row 160, column 200
small = cl.kernels.horizontal_line(3)
trace = cl.trace_conv2d(images[0], small, row=160, column=200, padding="same")
cl.plot_trace(trace)

# %% [markdown]
# The same value in the map that `conv2d` computes, equal to the last digits that a 32-bit number
# holds:

# %%
small_map = cl.conv2d(images[0], small, padding="same")
print("worked out:", trace.value, " in the map:", small_map[160, 200, 0])

# %% [markdown]
# ### Every picture by every filter
#
# Each filter makes one map of each picture. Vertical lines stand out in the one, horizontal lines
# in the other.

# %% Two pictures by two filters
cl.plot_feature_maps(
    outputs,
    filter_names=["vertical line", "horizontal line"],
    image_names=["china", "flower"],
)

# %% [markdown]
# ### A closer look
#
# At full size the effect is hard to see, so cut a piece out: rows 130 to 250 and columns 150 to
# 220 of the temple, rows 250 to 370 and columns 200 to 270 of the flower. (Rows come first, as in
# the array.)

# %% Where the piece of the temple comes from
temple_box = {"rows": (130, 250), "columns": (150, 220)}
cl.plot_crop(china, **temple_box, title="china")

# %% The temple's roof: its red channel, and what the two filters make of it
roof = cl.crop(images[0], **temple_box)
roof_maps = cl.crop(outputs[0], **temple_box)
panels = [roof[:, :, 0], roof_maps[:, :, 0], roof_maps[:, :, 1]]
names = ["picture (red)", "vertical line", "horizontal line"]
cl.plot_grid(panels, titles=names)

# %% Where the piece of the flower comes from
flower_box = {"rows": (250, 370), "columns": (200, 270)}
cl.plot_crop(flower, **flower_box, title="flower")

# %% The flower's petals: the red channel, and what the two filters make of it
petals = cl.crop(images[1], **flower_box)
petal_maps = cl.crop(outputs[1], **flower_box)
panels = [petals[:, :, 0], petal_maps[:, :, 0], petal_maps[:, :, 1]]
cl.plot_grid(panels, titles=names)

# %% [markdown]
# ### Filters, sizes, strides and padding
#
# Number and size of the filters, stride and padding are *hyperparameters*: they are chosen, not
# learned. A larger stride makes a smaller map, and without padding (`"valid"`) the border is lost.

# %% The roof under a vertical line of three sizes, with two strides
grid, titles = [], []
for stride in (1, 2):
    for size in (3, 7, 11):
        kernel = cl.kernels.vertical_line(size)
        grid.append(cl.conv2d(roof, kernel, strides=stride, padding="valid")[:, :, 0])
        titles.append(f"{size} × {size}, stride {stride}")
cl.plot_grid(grid, titles=titles, columns=3)

# %% [markdown]
# Lines are only the beginning. These are filters that people designed before networks learned
# their own: they blur, sharpen, and find edges in one direction or another.

# %% The roof under hand-made filters
designed = ["gaussian", "sharpen", "sobel_x", "sobel_y", "laplacian", "emboss"]
kernels = [cl.kernels.named(name) for name in designed]
maps = [cl.conv2d(roof, kernel, padding="same")[:, :, 0] for kernel in kernels]
cl.plot_grid(maps, titles=designed, columns=3)

# %% [markdown]
# ### A layer that has not learned anything yet
#
# In a network nobody designs the filters. A convolutional layer begins with random ones, here 32
# of 3 × 3, and training makes something of them. Behind each sum comes the *activation*: ReLU
# keeps what is positive and turns the rest into zero.

# %% The first of 32 random maps, for the roof and for the petals
conv = cl.Conv2D(
    filters=32,
    kernel_size=3,
    strides=1,
    padding="same",
    activation="relu",
    seed=0,
)
random_maps = conv(images)
print("feature maps:", random_maps.shape)
cl.plot_grid(
    [
        cl.crop(random_maps[0], **temple_box)[:, :, 0],
        cl.crop(random_maps[1], **flower_box)[:, :, 0],
    ],
    titles=["china", "flower"],
)

# %% All 32 maps of the roof: the same picture, seen by 32 random filters
cl.plot_feature_maps(cl.crop(random_maps[0], **temple_box))

# %% [markdown]
# ## Pooling makes pictures smaller
#
# A pooling layer has no weights. It looks through a window, too, and keeps one number of it: *max
# pooling* the largest, *average pooling* the mean. With windows of 2 × 2 and a stride of 2 the map
# is half as high and half as wide, so **three quarters of the values are dropped**. That saves
# work, memory and parameters in every later layer, and makes the network tolerate small shifts.

# %% Max pooling, 2 × 2: a quarter of the pixels, drawn at true relative size
pooled = cl.max_pool2d(roof, pool_size=2)
cl.plot_pooling(roof, pooled)

# %% One window of it: the largest of four values wins
cl.plot_trace(cl.trace_pool2d(roof, row=20, column=10, channel=0, pool_size=2))

# %% [markdown]
# ### Pooling over the depth
#
# Pooling mostly works on each channel by itself, so that the depth stays. It can also go the other
# way: keep height and width, and take the largest over the *channels*. Of three channels one is
# left.

# %% Depth-wise max pooling: the largest of red, green and blue at every pixel
depth_pooled = cl.depthwise_max_pool(roof, pool_size=3)
print(roof.shape, "->", depth_pooled.shape)
cl.plot_pooling(roof, depth_pooled)

# %% [markdown]
# ## Data to learn from
#
# Now a network that learns its filters. It needs pictures with known answers, in three parts: the
# **training** pictures it learns from, the **validation** pictures on which choices are made, and
# the **test** pictures, which are looked at once, at the end.

# %%
DATA = "fashion-mnist"

data = cl.load_data(DATA)
print("This page was made with", data.name)
cl.check_data(data)

# %% [markdown]
# As before: look at the first picture and its range of values.

# %% The first training picture
cl.plot_image(data.train.images[0])

# %% [markdown]
# The labels are numbers. That is what a classifier wants, but not what a person wants to read, so
# each has a name.

# %% The first 25 training pictures with their names
print("first ten labels:", data.train.labels[:10])
cl.plot_images(
    data.train.images[:25],
    data.train.labels[:25],
    class_names=data.class_names,
)

# %% [markdown]
# Before they reach the network the values are *standardised*: the mean is subtracted and the
# result divided by the standard deviation, so that every input varies about zero. Both are
# measured on the **training pictures alone**: whatever is learned from validation or test pictures,
# be it only a mean, makes the final figure a little too good. The notes do it for each pixel by
# itself.

# %% Mean and standard deviation of each pixel over the training pictures
mean = np.mean(data.train.images, axis=0)[:, :, 0]
deviation = np.std(data.train.images, axis=0)[:, :, 0]
cl.plot_grid([mean, deviation], titles=["mean", "standard deviation"])

# %% [markdown]
# ## A network
#
# The network of the notes stacks what you have seen: convolutions with more and more filters,
# poolings between them, and at the end *dense* layers that turn 256 small maps into one number for
# each class. Follow the *receptive field*: it is the part of the picture that one value can see.

# %%
shape, n_classes = data.shape, len(data.class_names)
cl.summarise("notes", shape, n_classes)

# %% [markdown]
# Most of its weights are in the last convolutions and the first dense layer, most of its work in
# the convolutions. The recipe `fast` trains a smaller network of the same kind, which does little
# work while the picture is large, and in which every convolution is followed by *batch
# normalisation*: it keeps the maps about zero with a spread of one.

# %%
cl.summarise("compact", shape, n_classes)

# %% [markdown]
# ## Training
#
# Training shows the network a batch of pictures, measures by a *loss* how wrong its probabilities
# are, works out for every weight which way would make the loss smaller, and moves all of them a
# little that way. One pass over all pictures is an *epoch*. After each, the validation pictures
# tell whether it really got better or only learned the training pictures by heart.
#
# The two losses are not measured alike: this recipe *smooths* the training labels, which asks for
# a little less than certainty in the right class and keeps the weights in check. The validation
# loss is measured against the plain labels.

# %% Loss and accuracy by epoch
run = cl.train(data, recipe="fast", seed=0)
print(f"{run.results['images_per_second']:,.0f} pictures a second")
print(f"{run.results['train_seconds']:.1f} seconds in all, kept in {run.path}")
run.plot_learning_curves()

# %% [markdown]
# ## How good is it?
#
# Only now the test pictures. A share measured on so many pictures is known only within an
# *interval*; a difference smaller than that is no difference. The *calibration error* says how far
# the probabilities are from the truth. Smoothed labels make a network modest: it is often right
# more frequently than its own probabilities claim.

# %%
evaluation = run.evaluate()
print(evaluation)

# %% [markdown]
# Which classes does it take for which others? Rows are what the pictures are, columns what the
# network called them.

# %% Confusion matrix on the test pictures
cl.plot_confusion_matrix(evaluation.confusion_matrix, data.class_names)

# %% [markdown]
# ### The first ten test pictures
#
# Pretend that they are new: what does the network say, and what are they?

# %%
model = run.model()
test = data.splits["test"]
new, labels = test.images[:10], test.labels[:10]
for said, label in zip(model.predict(new), labels, strict=True):
    print(said, "?=", data.class_names[label])

# %% The first ten test pictures with prediction and probability
probabilities = model.predict_proba(new)
cl.plot_predictions(new, probabilities, labels, data.class_names)

# %% [markdown]
# ## What it has learned to see
#
# These are the filters of its first layer: found by training, where the lines above were made by
# hand. Blue weights are negative, red ones positive.

# %% The filters of the first layer
cl.plot_filters(cl.layer_filters(model)[:, :, :1])

# %% [markdown]
# And this is what they make of the first test picture: edges of many directions, areas, corners.
# The layers behind combine them, until one number for each class is left.

# %% The feature maps of the first layer for the first test picture
cl.plot_feature_maps(cl.feature_maps(model, test.images[0]))

# %% [markdown]
# ## Go on
#
# Everything here works on any picture, and every step has a command:
#
# - `convolens see china --filter sobel_x --filter sobel_y --stride 1 --stride 2` draws every
#   combination; put your own picture in the place of `china`.
# - `convolens train fashion-mnist --recipe notes` trains the notes' own network for ten epochs.
# - `convolens evaluate RUN` and `convolens predict RUN picture.png` use what you trained; `RUN` is
#   the folder that training printed.
# - In Python, `import convolens as cl` gives all that you saw on this page.
