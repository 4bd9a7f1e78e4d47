"""Plots of labels: how many, how common, how certain, and which come together."""

import itertools

from inclusive_tf.exploration import look, texts
from inclusive_tf.report import wording

_FEW, _MANY = 40, 1000


def labels_per_image(found):
    """Bars of images by their number of labels, with mean and median."""
    bars = found["bars"]
    width = bars[0]["to"] - bars[0]["from"] + 1
    middles = [(bar["from"] + bar["to"]) / 2 for bar in bars]
    said = [
        f"{bar['from']}" if width == 1 else f"{bar['from']} to {bar['to']}"
        for bar in bars
    ]
    shares = [texts.percent(bar["images"] / found["images"]) for bar in bars]
    trace = look.graph_objects().Bar(
        x=middles, y=[bar["images"] for bar in bars], marker_color=look.BLUE,
        customdata=list(zip(said, shares, strict=True)),
        hovertemplate="%{customdata[0]} labels<br>%{y:,} images, %{customdata[1]}"
        "<extra></extra>",
    )  # fmt: skip
    marks = (("mean", "solid", "left"), ("median", "dot", "right"))
    lines = [
        {"type": "line", "x0": found[key], "x1": found[key], "yref": "paper", "y0": 0,
         "y1": 1, "line": {"color": look.ORANGE, "width": 2, "dash": dash}}
        for key, dash, _ in marks
    ]  # fmt: skip
    right_first = found["mean"] >= found["median"]
    notes = [
        {"x": found[key], "yref": "paper", "y": 1, "yanchor": "bottom",
         "xanchor": "left" if (key == "mean") == right_first else "right",
         "showarrow": False, "text": f"{key} {texts.decimal(found[key])}",
         "font": {"color": look.ORANGE}}
        for key, _, _ in marks
    ]  # fmt: skip
    return look.plot(
        [trace], height=320, shapes=lines, annotations=notes,
        margin={"l": 8, "r": 24, "t": 30, "b": 8},
        xaxis=look.axis("labels of an image", showgrid=False,
                        **({"dtick": 1} if len(bars) <= 12 else {})),
        yaxis=look.axis("images", tickformat=","),
    )  # fmt: skip


def label_bars(rows, half):
    """Bars of images by label, from frequency's "most" or "least".

    Args:
        rows: of the figures.
        half: whether another plot stands beside it, which leaves less room for words.
    """
    axis, narrow = look.rows_axis([row["name"] for row in rows])
    trace = look.graph_objects().Bar(
        x=[row["images"] for row in rows], y=list(range(len(rows))), orientation="h",
        marker_color=look.BLUE, cliponaxis=False, textposition="outside",
        text=[f"{wording.count(row['images'])} · {texts.percent(row['share'])}"
              for row in rows],
        customdata=[[texts.hover(row["name"]), texts.hover(row["id"])]
                    for row in rows],
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>%{text}"
        "<extra></extra>",
    )  # fmt: skip
    most = max(row["images"] for row in rows)
    narrow |= {"xaxis.range": [0, most * 1.8]}
    return look.plot(
        [trace], narrow, height=look.rows_height(len(rows)), yaxis=axis,
        xaxis=look.axis("images", tickformat=",", nticks=5,
                        range=[0, most * (1.7 if half else 1.3)]),
    )  # fmt: skip


def long_tail(found):
    """The share of all assignments that the k most common labels hold."""
    objects = look.graph_objects()
    curve, cover = found["curve"], found["cover"]
    few = found["in_use"] <= _FEW
    step = "D2" if found["in_use"] < _MANY else 1
    line = objects.Scatter(
        x=curve["labels"], y=curve["share"], mode="lines+markers" if few else "lines",
        line={"color": look.BLUE, "width": 3},
        hovertemplate="the %{x:,} most common labels<br>hold %{y:.1%} of all given"
        "<extra></extra>",
    )  # fmt: skip
    points = objects.Scatter(
        x=[one["labels"] for one in cover], y=[one["held"] for one in cover],
        mode="markers+text", cliponaxis=False,
        # the last two are close to one another
        textposition=["bottom right"] * (len(cover) - 1) + ["top center"],
        marker={"color": look.ORANGE, "size": 9},
        text=[f"{texts.percent(one['share'])} by {one['labels']:,}" for one in cover],
        textfont={"color": look.INK}, hoverinfo="skip",
    )  # fmt: skip
    return look.plot(
        [line, points], height=360,
        xaxis=look.axis("labels, most common first", type="linear" if few else "log",
                        **({} if few else {"dtick": step, "tickformat": ","})),
        yaxis=look.axis("share of all labels given", tickformat=".0%",
                        range=[0, 1.12]),
        margin={"l": 8, "r": 76, "t": 12, "b": 8},
    )  # fmt: skip


def histogram(found):
    """Bars of a histogram {"edges", "counts"} of confidences."""
    edges, counts = found["edges"], found["counts"]
    total = max(sum(counts), 1)
    trace = look.graph_objects().Bar(
        x=[(low + high) / 2 for low, high in itertools.pairwise(edges)],
        width=[high - low for low, high in itertools.pairwise(edges)],
        y=counts, marker={"color": look.BLUE, "line": {"color": "#fff", "width": 1}},
        customdata=[[low, high, texts.percent(count / total)] for low, high, count
                    in zip(edges, edges[1:], counts, strict=False)],
        hovertemplate="confidence %{customdata[0]} to %{customdata[1]}<br>%{y:,} "
        "labels, %{customdata[2]}<extra></extra>",
    )  # fmt: skip
    return look.plot(
        [trace], height=260,
        xaxis=look.axis("confidence", range=[-0.02, 1.02], showgrid=False),
        yaxis=look.axis("labels stated", tickformat=","),
    )  # fmt: skip


def box_attributes(attributes):
    """Shares of boxes by what is known of each attribute."""
    names = list(attributes)
    axis, narrow = look.rows_axis(names)
    totals = [max(sum(attributes[name].values()), 1) for name in names]
    answers = (("yes", look.BLUE), ("no", "#cfe3f1"), ("unknown", "#e9ecf0"))
    traces = [
        look.graph_objects().Bar(
            name=answer, orientation="h", y=list(range(len(names))),
            x=[attributes[name][answer] / total
               for name, total in zip(names, totals, strict=True)],
            marker={"color": colour, "line": {"color": "#fff", "width": 1}},
            customdata=[[texts.hover(name), wording.count(attributes[name][answer])]
                        for name in names],
            hovertemplate="<b>%{customdata[0]}</b>: " + answer + "<br>"
            "%{customdata[1]} boxes, %{x:.1%}<extra></extra>",
        )
        for answer, colour in answers
    ]  # fmt: skip
    return look.plot(
        traces, narrow, height=look.rows_height(len(names), 96), yaxis=axis,
        barmode="stack", showlegend=True, legend=look.LEGEND | {"traceorder": "normal"},
        xaxis=look.axis("share of boxes", tickformat=".0%", range=[0, 1]),
    )  # fmt: skip


def matrix(found):
    """Of the images with the row's label, the share that has the column's too."""
    labels, together = found["labels"], found["together"]
    shares = [
        # a label always comes with itself
        [None if row == column else count / labels[row]["images"]
         for column, count in enumerate(counts)]
        for row, counts in enumerate(together)
    ]  # fmt: skip
    hover = [
        [f"of {labels[row]['images']:,} with <b>{texts.hover(labels[row]['name'])}</b>"
         f"<br>{count:,} have <b>{texts.hover(labels[column]['name'])}</b> too"
         for column, count in enumerate(counts)]
        for row, counts in enumerate(together)
    ]  # fmt: skip
    names = [label["name"] for label in labels]
    axis, narrow = look.rows_axis(names)
    trace = look.graph_objects().Heatmap(
        z=shares, text=hover, xgap=1, ygap=1, hoverongaps=False, coloraxis="coloraxis",
        hovertemplate="%{text}<br>%{z:.1%}<extra></extra>",
    )  # fmt: skip
    columns = look.axis(
        tickmode="array", tickvals=list(range(len(names))), tickangle=-90,
        ticktext=[texts.tick(name, texts.TICK) for name in names], showgrid=False,
        zeroline=False, side="top",
    )  # fmt: skip
    return look.plot(
        [trace],
        narrow | {"xaxis.showticklabels": False, "coloraxis.showscale": False},
        height=max(300, 19 * len(names) + 190), yaxis=axis, xaxis=columns,
        coloraxis=look.shading("share"),
    )  # fmt: skip
