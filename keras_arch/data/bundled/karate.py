"""Karate: Zachary's club of 34 members and 78 friendships, from networkx.

Zachary. An Information Flow Model for Conflict and Fission in Small Groups.
Journal of Anthropological Research 1977. https://doi.org/10.1086/jar.33.4.3629752

    one graph -> node features, edges in both directions, the club each member joined

Each split holds the same graph; ``label_weight`` says which labels it shows: those of the
two leaders in ``train``, those of the 32 others in ``test``. It is the third part of a
supervised example, where Keras takes sample weights. A member has no features of its own,
so the features are the identity matrix, as in the paper of the graph convolution.
"""

import functools
from typing import Any

import numpy as np

LEADERS = (0, 33)  # the instructor and the president, between whom the club split
CLUBS = ("Mr. Hi", "Officer")


@functools.cache
def builder_class() -> type:
    """Return the TFDS builder of the karate club."""
    import networkx as nx
    import tensorflow_datasets as tfds

    graph = nx.karate_club_graph()
    nodes, edges = graph.number_of_nodes(), 2 * graph.number_of_edges()

    class Karate(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            club = tfds.features.ClassLabel(names=CLUBS)
            return tfds.core.DatasetInfo(
                builder=self,
                description="Zachary's karate club, as shipped with networkx.",
                features=tfds.features.FeaturesDict(
                    {
                        "node_features": tfds.features.Tensor(
                            shape=(nodes, nodes), dtype=np.float32
                        ),
                        "edges": tfds.features.Tensor(shape=(edges, 2), dtype=np.int32),
                        "edge_features": tfds.features.Tensor(shape=(edges, 1), dtype=np.float32),
                        "label": tfds.features.Sequence(club, length=nodes),
                        "label_weight": tfds.features.Tensor(shape=(nodes,), dtype=np.float32),
                    }
                ),
                supervised_keys=(
                    {"node_features": "node_features", "edges": "edges"},
                    "label",
                    "label_weight",
                ),
                homepage="https://doi.org/10.1086/jar.33.4.3629752",
            )

        def _split_generators(self, dl_manager):
            leads = np.isin(np.arange(nodes), LEADERS)
            return {
                "train": self._generate_examples(leads),
                "test": self._generate_examples(~leads),
            }

        def _generate_examples(self, shown):
            directed = sorted(graph.to_directed().edges(data="weight"))
            yield (
                0,
                {
                    "node_features": np.eye(nodes, dtype=np.float32),
                    "edges": np.array([edge[:2] for edge in directed], np.int32),
                    "edge_features": np.array([edge[2:] for edge in directed], np.float32),
                    "label": [graph.nodes[node]["club"] for node in range(nodes)],
                    "label_weight": shown.astype(np.float32),
                },
            )

    return Karate


def karate(data_dir: str | None = None) -> Any:
    """Return a ``tfds.core.DatasetBuilder`` of the karate club."""
    return builder_class()(data_dir=data_dir)
