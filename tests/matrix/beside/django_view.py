"""A Django view asks the emulator."""

import django
from django.conf import settings
from django.http import JsonResponse
from django.test import RequestFactory

settings.configure(ALLOWED_HOSTS=["*"], DEFAULT_CHARSET="utf-8")
django.setup()


def test_a_django_view_asks_the_emulator(stackadapt, segment):
    segment.identify("u1", {"email": "ada@example.com", "total_spent": 900})

    def view(request):
        return JsonResponse(stackadapt.graphql("{ cdpProfiles(advertiserId: 1001) { size } }"))

    assert view(RequestFactory().get("/")).content == b'{"cdpProfiles": {"size": 1}}'
