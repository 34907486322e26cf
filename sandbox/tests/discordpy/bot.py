"""A small discord.py 2 bot: `/hello name:` with autocomplete, a button and an answer that takes a moment. It knows the sandbox by its address alone."""

import os

import discord
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket

discord.http.Route.BASE = os.environ["DISCORD_API"] + "/v10"
# The library never asks where the gateway is.
DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["DISCORD_GATEWAY"])
guild = discord.Object(id=int(os.environ["DISCORD_GUILD_ID"]))
nobody = discord.AllowedMentions.none()
client = discord.Client(intents=discord.Intents(guilds=True), allowed_mentions=nobody)
tree = app_commands.CommandTree(client)


class Again(discord.ui.View):
    @discord.ui.button(label="Again", custom_id="again", style=discord.ButtonStyle.primary)
    async def again(self, interaction: discord.Interaction, _: discord.ui.Button):
        await interaction.response.edit_message(content="Hello again.", view=None)


@tree.command(name="hello", description="Greets", guild=guild)
@app_commands.describe(name="Whom")
async def hello(interaction: discord.Interaction, name: str):
    if name == "linus":
        await interaction.response.defer()
        await interaction.edit_original_response(content="Hello at last.")
        return
    await interaction.response.send_message(f"Hello {name}.", view=Again())


@hello.autocomplete("name")
async def names(_: discord.Interaction, typed: str):
    return [app_commands.Choice(name=name, value=name) for name in ("ada", "grace", "linus") if name.startswith(typed)]


@client.event
async def on_ready():
    await tree.sync(guild=guild)


client.run(os.environ["DISCORD_TOKEN"])
