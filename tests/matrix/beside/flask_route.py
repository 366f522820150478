"""A Flask application of the user asks the emulator, which is one too."""

from flask import Flask, jsonify


def test_a_flask_route_asks_the_emulator(stackadapt, segment):
    segment.identify("u1", {"email": "ada@example.com", "total_spent": 900})
    app = Flask("users_own")

    @app.get("/size")
    def size():
        return jsonify(stackadapt.graphql("{ cdpProfiles(advertiserId: 1001) { size } }"))

    assert app.test_client().get("/size").json == {"cdpProfiles": {"size": 1}}
