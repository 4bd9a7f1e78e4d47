"""Plots that compare labels: of groups, and of two splits."""

import math

from inclusive_tf.exploration import look, texts
from inclusive_tf.report import wording


def distances(found):
    """How far each group's mix of labels is from the whole, and what chance gives."""
    groups = [one for one in found["groups"] if one["distance"] is not None]
    groups = sorted(groups, key=lambda one: -one["distance"])
    axis, narrow = look.rows_axis([one["name"] for one in groups])
    places = list(range(len(groups)))
    hover = [
        [texts.hover(one["name"]), wording.count(one["images"]),
         wording.count(one["assignments"]), wording.number(one["distance"]),
         wording.number(one["chance"])]
        for one in groups
    ]  # fmt: skip
    template = (
        "<b>%{customdata[0]}</b><br>distance %{customdata[3]}, chance %{customdata[4]}"
        "<br>%{customdata[1]} images, %{customdata[2]} labels given<extra></extra>"
    )
    objects = look.graph_objects()
    traces = [
        objects.Scatter(
            name=name, mode="markers", cliponaxis=False, y=places,
            x=[one[key] for one in groups], marker=marker, customdata=hover,
            hovertemplate=template,
        )
        for name, key, marker in (
            ("chance", "chance", {"symbol": "line-ns-open", "size": 14,
                                  "color": look.MUTED, "line": {"width": 2}}),
            ("this group", "distance", {"size": 12, "color": look.BLUE}),
        )
    ]  # fmt: skip
    lines = [
        {"type": "line", "x0": 0, "x1": one["distance"], "y0": place, "y1": place,
         "layer": "below", "line": {"color": look.RULE, "width": 3}}
        for place, one in zip(places, groups, strict=True)
    ]  # fmt: skip
    top = max(max(one["distance"], one["chance"]) for one in groups)
    return look.plot(
        traces, narrow, height=look.rows_height(len(groups), 100), yaxis=axis,
        shapes=lines, showlegend=True,
        xaxis=look.axis("distance (total variation, 0 to 1)",
                        range=[0, max(top * 1.1, 0.02)]),
    )  # fmt: skip


def _group_dots(found):
    labels, groups = found["labels"], found["groups"]
    axis, narrow = look.rows_axis([label["name"] for label in labels])
    places = list(range(len(labels)))
    traces = [
        look.graph_objects().Scatter(
            name=texts.tick(group["name"], texts.TICK), y=places,
            mode="markers", cliponaxis=False,
            x=[label["shares"][number] for label in labels],
            marker={"color": colour, "symbol": symbol, "size": 11, "opacity": 0.9},
            customdata=[[texts.hover(label["name"]), texts.hover(group["name"]),
                         texts.percent(label["shares"][number])] for label in labels],
            hovertemplate="<b>%{customdata[0]}</b><br>on %{customdata[2]} of the "
            "images of %{customdata[1]}<extra></extra>",
        )
        for number, (group, (colour, symbol)) in enumerate(
            zip(groups, look.SERIES, strict=False)
        )
    ]  # fmt: skip
    lines = [
        {"type": "line", "x0": min(label["shares"]), "x1": max(label["shares"]),
         "y0": place, "y1": place, "layer": "below",
         "line": {"color": look.RULE, "width": 3}}
        for place, label in zip(places, labels, strict=True)
    ]  # fmt: skip
    return look.plot(
        traces, narrow, height=look.rows_height(len(labels), 100), yaxis=axis,
        shapes=lines, showlegend=True,
        xaxis=look.axis("share of the group's images", tickformat=".0%",
                        rangemode="tozero"),
    )  # fmt: skip


def group_shares(found):
    """Shares of labels in each group: dots for a few groups, else a heat map."""
    labels, groups = found["labels"], found["groups"]
    if len(groups) <= len(look.SERIES):
        return _group_dots(found)
    axis, narrow = look.rows_axis([label["name"] for label in labels])
    names = [group["name"] for group in groups]
    trace = look.graph_objects().Heatmap(
        z=[label["shares"] for label in labels], xgap=1, ygap=1, coloraxis="coloraxis",
        text=[[f"<b>{texts.hover(label['name'])}</b><br>on {texts.percent(share)} of "
               f"the images of {texts.hover(name)}"
               for name, share in zip(names, label["shares"], strict=True)]
              for label in labels],
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    most = max(max(label["shares"]) for label in labels)
    columns = look.axis(
        tickmode="array", tickvals=list(range(len(names))), tickangle=-90, side="top",
        ticktext=[texts.tick(name, texts.NARROW_TICK) for name in names],
        showgrid=False, zeroline=False,
    )  # fmt: skip
    return look.plot(
        [trace], narrow | {"coloraxis.showscale": False},
        height=look.rows_height(len(labels), 190), yaxis=axis, xaxis=columns,
        coloraxis=look.shading("share of the group's images") | {"cmax": most},
    )  # fmt: skip


def _ends(found):
    """(key, name of the split, colour, symbol) of the two splits."""
    return (
        ("from", texts.tick(found["from"]["split"], texts.TICK), look.GREY, "circle"),
        ("to", texts.tick(found["to"]["split"], texts.TICK), look.BLUE, "diamond"),
    )


def shift_shares(found):
    """Share of images with each label in the two splits, with Wilson intervals."""
    labels = found["labels"]
    axis, narrow = look.rows_axis([label["name"] for label in labels])
    places = list(range(len(labels)))
    traces = [
        look.graph_objects().Scatter(
            name=name, mode="markers", cliponaxis=False, y=places,
            x=[label[key]["share"] for label in labels],
            marker={"color": colour, "symbol": symbol, "size": 11},
            error_x={"type": "data", "symmetric": False, "width": 0, "thickness": 2,
                     "color": colour,
                     "array": [label[key]["high"] - label[key]["share"]
                               for label in labels],
                     "arrayminus": [label[key]["share"] - label[key]["low"]
                                    for label in labels]},
            customdata=[[texts.hover(label["name"]), name,
                         wording.count(label[key]["images"]),
                         texts.percent(label[key]["share"]),
                         texts.percent(label[key]["low"]),
                         texts.percent(label[key]["high"])] for label in labels],
            hovertemplate="<b>%{customdata[0]}</b>, %{customdata[1]}<br>"
            "%{customdata[3]} [%{customdata[4]}, %{customdata[5]}], "
            "%{customdata[2]} images<extra></extra>",
        )
        for key, name, colour, symbol in _ends(found)
    ]  # fmt: skip
    lines = [
        {"type": "line", "x0": label["from"]["share"], "x1": label["to"]["share"],
         "y0": place, "y1": place, "layer": "below",
         "line": {"color": look.RULE, "width": 3}}
        for place, label in zip(places, labels, strict=True)
    ]  # fmt: skip
    return look.plot(
        traces, narrow, height=look.rows_height(len(labels), 100), yaxis=axis,
        shapes=lines, showlegend=True,
        xaxis=look.axis("share of images", tickformat=".0%", rangemode="tozero"),
    )  # fmt: skip


def _ratio_ticks(low, high):
    """At most about seven doublings between two ends, 0 among them."""
    step = max(1, math.ceil((high - low) / 6))
    first = math.ceil(low / step) * step
    places = list(range(first, math.floor(high) + 1, step))
    return places, ["same" if not place else texts.ratio(place) for place in places]


def shift_ratios(found):
    """The ratio of the two shares of each label, by doublings, with its interval."""
    labels = found["labels"]
    axis, narrow = look.rows_axis([label["name"] for label in labels])
    ratios = [label["log2_ratio"] for label in labels]
    low = min(0.0, *(one["low"] for one in ratios)) - 0.3
    high = max(0.0, *(one["high"] for one in ratios)) + 0.3
    places, said = _ratio_ticks(low, high)
    trace = look.graph_objects().Scatter(
        mode="markers", cliponaxis=False, x=[one["value"] for one in ratios],
        y=list(range(len(labels))),
        marker={"size": 11, "line": {"width": 0},
                "color": [look.ORANGE if one["value"] < 0 else look.BLUE
                          for one in ratios],
                "symbol": ["triangle-left" if one["value"] < 0 else "triangle-right"
                           for one in ratios]},
        error_x={"type": "data", "symmetric": False, "width": 0, "thickness": 2,
                 "color": look.GREY,
                 "array": [one["high"] - one["value"] for one in ratios],
                 "arrayminus": [one["value"] - one["low"] for one in ratios]},
        customdata=[[texts.hover(label["name"]),
                     *(texts.ratio(one[key]) for key in ("value", "low", "high"))]
                    for label, one in zip(labels, ratios, strict=True)],
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]} "
        "[%{customdata[2]}, %{customdata[3]}]<extra></extra>",
    )  # fmt: skip
    return look.plot(
        [trace], narrow, height=look.rows_height(len(labels), 100), yaxis=axis,
        xaxis=look.axis("ratio of the shares", tickmode="array", tickvals=places,
                        ticktext=said, range=[low, high], zeroline=True,
                        zerolinecolor=look.INK),
        margin={"l": 8, "r": 24, "t": 36, "b": 8},
    )  # fmt: skip
