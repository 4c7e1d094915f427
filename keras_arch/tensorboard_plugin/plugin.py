"""The tab "Gradient map": what each layer's gradient does, from step to step, run beside run.

Reads the scalars ``log10_<kind>/<layer>`` of all runs, which every TensorBoard shows as
charts; a map of them has labels, values under the pointer, and one colour scale for all runs.
"""

import json
import math
import pathlib

import werkzeug
from tensorboard import context
from tensorboard.data import provider
from tensorboard.plugins import base_plugin

SCALARS = "scalars"  # TensorBoard's own plugin, whose data these are
KINDS = ("gradient_norm", "update_ratio", "weight_norm", "activation_variance")
STEPS = 1000  # of a run, at most
PAGE = pathlib.Path(__file__).with_name("page.js")


class GradientMap(base_plugin.TBPlugin):
    """Serves the page and its data."""

    plugin_name = "gradient_map"

    def __init__(self, context: base_plugin.TBContext) -> None:
        super().__init__(context)
        self._provider = context.data_provider

    def get_plugin_apps(self):
        return {"/page.js": self.serve_page, "/maps": self.serve_maps}

    def is_active(self):
        return False  # asked only where no run has scalars

    def data_plugin_names(self):
        return (SCALARS,)

    def frontend_metadata(self):
        return base_plugin.FrontendMetadata(es_module_path="/page.js", tab_name="Gradient map")

    def serve_page(self, environ, start_response):
        return _answer(PAGE.read_bytes(), "text/javascript")(environ, start_response)

    def serve_maps(self, environ, start_response):
        from tensorboard import plugin_util  # brings a whole parser of HTML with it

        kind = werkzeug.Request(environ).args.get("kind", KINDS[0])
        if kind not in KINDS:
            return _answer(b"unknown kind", "text/plain", status=400)(environ, start_response)
        ctx = plugin_util.context(environ)
        experiment = plugin_util.experiment_id(environ)
        found = {"kinds": KINDS, "runs": self.maps(ctx, experiment, kind)}
        return _answer(json.dumps(found).encode(), "application/json")(environ, start_response)

    def maps(
        self, ctx: context.RequestContext, experiment: str, kind: str
    ) -> dict[str, dict[str, list]]:
        """Return, by run, layers in order of depth, steps, and a row of values for each layer.

        What JSON cannot hold is a word (``"nan"``, ``"inf"``, ``"-inf"``), what is missing null.
        """
        prefix = f"log10_{kind}/"
        listed = self._provider.list_scalars(ctx, experiment_id=experiment, plugin_name=SCALARS)
        tags = sorted(
            {tag for of_run in listed.values() for tag in of_run if tag.startswith(prefix)}
        )
        if not tags:
            return {}
        read = self._provider.read_scalars(
            ctx,
            experiment_id=experiment,
            plugin_name=SCALARS,
            downsample=STEPS,
            run_tag_filter=provider.RunTagFilter(tags=sorted(tags)),
        )
        return {run: _map(series, len(prefix)) for run, series in sorted(read.items()) if series}


def _map(series, prefix):
    tags = sorted(series)
    steps = sorted({datum.step for of_tag in series.values() for datum in of_tag})
    values = []
    for tag in tags:
        by_step = {datum.step: _written(datum.value) for datum in series[tag]}
        values.append([by_step.get(step) for step in steps])
    return {"layers": [tag[prefix:] for tag in tags], "steps": steps, "values": values}


def _written(value):
    return round(value, 4) if math.isfinite(value) else str(float(value))


def _answer(content, kind, status=200):
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
    return werkzeug.Response(content, status, headers, content_type=f"{kind}; charset=utf-8")
